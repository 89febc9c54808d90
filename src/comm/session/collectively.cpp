#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <vector>

#include "comm/session/collective.h"
#include "comm/session/session.h"

namespace nntrain::comm {

namespace {

struct Outcome {
  int code = 0;  ///< 0: done; else ExitCode
  std::string cause;
};

Outcome attempt(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const SharedError&) {
    throw;
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  } catch (const std::bad_alloc&) {
    return {static_cast<int>(ExitCode::kRuntime), "out of memory"};
  } catch (const std::exception& error) {
    return {static_cast<int>(ExitCode::kRuntime), error.what()};
  } catch (...) {
    return {static_cast<int>(ExitCode::kRuntime), "an unknown exception"};
  }
}

}  // namespace

// Why a SharedError passes without a second all-gather: a rank that fails before an inner collectively()
// meets, with its outer call's all-gather, the inner one of the others. Everybody has then communicated
// once and knows; were the others to communicate again in their outer call, they would wait for ever.
void collectively(Session& session, std::string_view what, const std::function<void()>& work) {
  if (session.size() == 1) {
    work();
    return;
  }
  Session::Implementation& impl = session.implementation();
  impl.watch.at_phase(what);
  const Outcome mine = attempt(work);
  std::vector<int> codes(static_cast<std::size_t>(session.size()));
  await(impl.waiter, "MPI_Iallgather", [&](MPI_Request* request) {
    return MPI_Iallgather(&mine.code, 1, MPI_INT, codes.data(), 1, MPI_INT, impl.world, request);
  });
  const auto failed = std::count_if(codes.begin(), codes.end(), [](int code) { return code != 0; });
  if (failed == 0) return;
  const auto first =
      std::find_if(codes.begin(), codes.end(), [](int code) { return code != 0; }) - codes.begin();
  std::string text;
  if (session.rank() == first)
    text = fmt::format("[rank {} on {}] {}: {} ({} of {} ranks failed)", session.rank(), session.host(), what,
                       mine.cause, failed, session.size());
  throw SharedError(static_cast<ExitCode>(codes[static_cast<std::size_t>(first)]),
                    session.broadcast_text(text, static_cast<int>(first)));
}

}  // namespace nntrain::comm
