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

/// While it lives, `what` runs on this rank.
class Leaf {
 public:
  Leaf(Session::Implementation& session, std::string_view what) : session_(session), before_(session.leaf) {
    session_.leaf = what;
  }
  ~Leaf() { session_.leaf = before_; }
  Leaf(const Leaf&) = delete;
  Leaf& operator=(const Leaf&) = delete;

 private:
  Session::Implementation& session_;
  std::string before_;
};

/// A rank that fails inside a leaf leaves it, and the others would wait for it in what the leaf communicates.
/// Checked where assertions are: a release build goes on, and meets the trouble only when a rank fails there.
void require_outside_leaves([[maybe_unused]] const Session::Implementation& session,
                            [[maybe_unused]] std::string_view what) {
#ifndef NDEBUG
  if (!session.leaf.empty())
    throw RuntimeError(
        fmt::format("internal: collectively(\"{}\") inside the leaf \"{}\"", what, session.leaf));
#endif
}

}  // namespace

// Why a SharedError passes without a second all-gather: a rank that fails before an inner collectively()
// meets, with its outer call's all-gather, the inner one of the others. Everybody has then communicated
// once and knows; were the others to communicate again in their outer call, they would wait for ever.
void collectively(Session& session, std::string_view what, const std::function<void()>& work) {
  Session::Implementation& impl = session.implementation();
  require_outside_leaves(impl, what);
  const Leaf leaf(impl, what);
  if (session.size() == 1) {
    work();
    return;
  }
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
