#include "comm/session/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <numeric>

#include "comm/session/collective.h"
#include "comm/session/launcher.h"
#include "comm/session/launcher_end.h"
#include "comm/session/session_implementation.h"
#include "comm/session/topology.h"

namespace nntrain::comm {

namespace {

void broadcast_on(Waiter& waiter, MPI_Comm ranks, std::span<std::byte> data, int root) {
  for (std::size_t begin = 0; begin < data.size(); begin += kPieceBytes) {
    const std::size_t count = std::min<std::size_t>(kPieceBytes, data.size() - begin);
    await(waiter, "MPI_Ibcast", [&](MPI_Request* request) {
      return MPI_Ibcast(data.data() + begin, static_cast<int>(count), MPI_BYTE, root, ranks, request);
    });
  }
}

template <class T>
T reduced(Session::Implementation& session, T value, MPI_Datatype type, MPI_Op operation) {
  T result{};
  await(session.waiter, "MPI_Iallreduce", [&](MPI_Request* request) {
    return MPI_Iallreduce(&value, &result, 1, type, operation, session.world, request);
  });
  return result;
}

/// Of exchanges that are gone.
void free_retired(Session::Implementation& session) {
  for (MPI_Comm& communicator : session.retired) check(MPI_Comm_free(&communicator), "MPI_Comm_free");
  session.retired.clear();
}

/// What is under way in mails that are gone, or in all of them, would else be written into memory that is
/// given back. Mails go on every rank alike.
template <class Chosen>
void settle_mails(Session::Implementation& session, const Chosen& chosen) {
  for (const auto& mail : session.mails)
    if (chosen(mail)) mail->close(session);
  std::erase_if(session.mails, chosen);
}

void free_communicators(Session::Implementation& session) {
  free_retired(session);
  for (MPI_Comm* own : {&session.node_ranks, &session.world}) {
    if (*own != MPI_COMM_NULL && *own != MPI_COMM_SELF) check(MPI_Comm_free(own), "MPI_Comm_free");
  }
}

}  // namespace

Session::Session(int& argc, char**& argv, const std::function<Patience()>& patience)
    : impl_(std::make_unique<Implementation>()) {
  impl_->exceptions_at_start = std::uncaught_exceptions();
  const auto tasks = prepare_for_launcher();
  int running = 0;
  check(MPI_Initialized(&running), "MPI_Initialized");
  impl_->ends_mpi = running == 0;
  std::optional<StartGuard> guard;
  std::optional<MpiWatch> watch;
  if (running == 0) {
    guard.emplace();  // a fork: before there are threads
    watch.emplace("start", patience);
    int provided = 0;
    check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    guard.reset();
  }
  try {
    // Sub-communicators inherit the handler, so no MPI error ends the process behind our back.
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int size = 1;
    check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
    refuse_lonely_ranks(size, tasks);
    impl_->size = size;
    check(MPI_Comm_rank(MPI_COMM_WORLD, &impl_->rank), "MPI_Comm_rank");
    discover_nodes(*impl_, MPI_COMM_WORLD);
    impl_->watch.open(impl_->world, impl_->node_sizes, impl_->host);
    impl_->waiter = Waiter(impl_->crowding, nullptr, &impl_->watch, &impl_->errand);
  } catch (const Error&) {  // all ranks alike
    if (impl_->ends_mpi) MPI_Finalize();
    throw;
  } catch (
      const std::exception& error) {  // the others wait for this rank, and so would MPI_Finalize for them
    const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    if (impl_->ends_mpi) abort(ExitCode::kRuntime, memory ? "out of memory" : error.what());
    throw;
  }
}

Session::Session(int fortran_communicator) : impl_(std::make_unique<Implementation>()) {
  impl_->ends_mpi = false;
  discover_nodes(*impl_, MPI_Comm_f2c(fortran_communicator));
  impl_->waiter = Waiter(impl_->crowding, nullptr, nullptr, &impl_->errand);
}

Session::Session() : impl_(std::make_unique<Implementation>()) { impl_->ends_mpi = false; }

std::unique_ptr<Session> Session::alone() const {
  std::unique_ptr<Session> single(new Session);
  Implementation& impl = *single->impl_;
  impl.world = impl.node_ranks = MPI_COMM_SELF;
  impl.node_sizes = {1};
  impl.host = impl_->host;
  impl.exceptions_at_start = std::uncaught_exceptions();
  impl.waiter = Waiter(impl.crowding, nullptr, nullptr);
  return single;
}

Session::~Session() {
  if (impl_->closed) return;
  if (size() == 1) {  // nobody to communicate with
    try {
      close();
    } catch (const std::exception& error) {
      if (impl_->ends_mpi) abort(ExitCode::kRuntime, error.what());
    }
  } else if (impl_->ends_mpi) {
    abort(ExitCode::kRuntime, std::uncaught_exceptions() > impl_->exceptions_at_start
                                  ? "an exception left the program while other ranks were still at work"
                                  : "internal: the session ends without Session::close()");
  } else if (!impl_->mails.empty()) {  // messages may still arrive there
    for (const auto& window : impl_->windows) static_cast<void>(new std::shared_ptr<SharedWindow>(window));
  }
}

void Session::close() {
  if (impl_->closed) return;
  // Freeing windows and MPI_Finalize wait inside MPI for ranks that may never come.
  impl_->watch.at_phase("end");
  barrier();
  settle_mails(*impl_, [](const auto&) { return true; });
  const auto clock = impl_->watch_inside_mpi("end");
  impl_->watch.close();
  for (const auto& window : impl_->windows) window->free();
  impl_->windows.clear();
  free_communicators(*impl_);
  impl_->closed = true;
  if (impl_->ends_mpi) MPI_Finalize();
}

void Session::release_unused() {
  barrier();
  settle_mails(*impl_, [](const auto& mail) { return mail.use_count() == 1; });
  const auto clock = impl_->watch_inside_mpi("shared memory");
  // Arrays go on every rank of a node alike, so the ranks agree on which windows have none.
  for (const auto& window : impl_->windows) {
    if (window.use_count() == 1) window->free();
  }
  std::erase_if(impl_->windows, [](const auto& window) { return window.use_count() == 1; });
  free_retired(*impl_);
}

int Session::rank() const { return impl_->rank; }
int Session::size() const { return impl_->size; }
int Session::node() const { return impl_->node; }
int Session::nodes() const { return static_cast<int>(impl_->node_sizes.size()); }
int Session::local_rank() const { return impl_->local_rank; }
int Session::local_size() const { return impl_->local_size; }
const std::vector<int>& Session::node_sizes() const { return impl_->node_sizes; }
const std::string& Session::host() const { return impl_->host; }
int Session::available_cores() const { return impl_->available_cores; }

std::string Session::library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS) return "unknown MPI";
  std::string version(text.data());
  // "Open MPI v4.1.4, package: ...": the name and the number are what a reader of the log needs.
  version = version.substr(0, version.find_first_of(",\n"));
  if (const auto at = version.find(" v"); at != std::string::npos) version.erase(at + 1, 1);
  return version;
}

void Session::abort(ExitCode code, const std::string& message) noexcept {
  const int status = static_cast<int>(code);
  try {
    std::fflush(stdout);
    const std::string text = fmt::format("\n[rank {} on {}] {}\n", rank(), impl_->host, message);
    // One write, so that blocks of several failing ranks do not interleave.
    if (write(STDERR_FILENO, text.data(), text.size()) < 0) std::fputs(text.c_str(), stderr);
  } catch (...) {
    std::fputs("nntrain-dist failed, and failed to say why\n", stderr);
  }
  int ended = 0;
  MPI_Finalized(&ended);
  if (ended == 0) {
    if (size() == 1) {
      MPI_Finalize();  // nobody else to end; spares the user MPI_Abort's banner
    } else {
      MPI_Abort(MPI_COMM_WORLD, status);
    }
  }
  std::_Exit(status);
}

void Session::barrier() {
  await(impl_->waiter, "MPI_Ibarrier",
        [&](MPI_Request* request) { return MPI_Ibarrier(impl_->world, request); });
}

void Session::broadcast(std::span<std::byte> data, int root) {
  broadcast_on(impl_->waiter, impl_->world, data, root);
}

void Session::end_stalls_after(double seconds, const std::string& text) {
  impl_->watch.set_timeout(seconds, text);
}

void Session::look_while_waiting(double seconds) { impl_->watch.look(seconds); }

std::string Session::broadcast_text(const std::string& text, int root) {
  auto length = static_cast<std::int64_t>(text.size());
  broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  std::string result = text;
  result.resize(static_cast<std::size_t>(length));
  broadcast(std::as_writable_bytes(std::span(result)), root);
  return result;
}

std::vector<std::vector<std::byte>> Session::all_gather(std::span<const std::byte> mine) {
  const auto ranks = static_cast<std::size_t>(size());
  const auto my_bytes = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> bytes(ranks);
  await(impl_->waiter, "MPI_Iallgather", [&](MPI_Request* request) {
    return MPI_Iallgather(&my_bytes, 1, MPI_INT64_T, bytes.data(), 1, MPI_INT64_T, impl_->world, request);
  });
  std::vector<std::vector<std::byte>> all(ranks);
  for (std::size_t i = 0; i < ranks; ++i) {
    if (static_cast<int>(i) == rank()) all[i].assign(mine.begin(), mine.end());
    all[i].resize(static_cast<std::size_t>(bytes[i]));
  }
  if (std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0}) > kPieceBytes) {
    for (std::size_t i = 0; i < ranks; ++i) broadcast(all[i], static_cast<int>(i));
    return all;
  }
  std::vector<int> counts(bytes.begin(), bytes.end());
  std::vector<int> offsets(ranks);
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
  std::vector<std::byte> joined(static_cast<std::size_t>(offsets.back() + counts.back()));
  await(impl_->waiter, "MPI_Iallgatherv", [&](MPI_Request* request) {
    return MPI_Iallgatherv(mine.data(), counts[static_cast<std::size_t>(rank())], MPI_BYTE, joined.data(),
                           counts.data(), offsets.data(), MPI_BYTE, impl_->world, request);
  });
  for (std::size_t i = 0; i < ranks; ++i) std::copy_n(joined.begin() + offsets[i], counts[i], all[i].begin());
  return all;
}

std::vector<std::vector<std::byte>> Session::gather(std::span<const std::byte> mine) {
  constexpr int kTag = 1;
  const auto my_bytes = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> bytes(static_cast<std::size_t>(size()));
  await(impl_->waiter, "MPI_Igather", [&](MPI_Request* request) {
    return MPI_Igather(&my_bytes, 1, MPI_INT64_T, bytes.data(), 1, MPI_INT64_T, 0, impl_->world, request);
  });
  const auto pieces = [](std::int64_t total, auto&& transfer) {
    for (std::int64_t begin = 0; begin < total; begin += kPieceBytes)
      transfer(begin, static_cast<int>(std::min(kPieceBytes, total - begin)));
  };
  if (!is_root()) {
    pieces(my_bytes, [&](std::int64_t begin, int count) {
      await(impl_->waiter, "MPI_Isend", [&](MPI_Request* request) {
        return MPI_Isend(mine.data() + begin, count, MPI_BYTE, 0, kTag, impl_->world, request);
      });
    });
    return {};
  }
  std::vector<std::vector<std::byte>> all(static_cast<std::size_t>(size()));
  all[0].assign(mine.begin(), mine.end());
  for (int r = 1; r < size(); ++r) {
    auto& part = all[static_cast<std::size_t>(r)];
    part.resize(static_cast<std::size_t>(bytes[static_cast<std::size_t>(r)]));
    pieces(bytes[static_cast<std::size_t>(r)], [&](std::int64_t begin, int count) {
      await(impl_->waiter, "MPI_Irecv", [&](MPI_Request* request) {
        return MPI_Irecv(part.data() + begin, count, MPI_BYTE, r, kTag, impl_->world, request);
      });
    });
  }
  return all;
}

std::int64_t Session::minimum(std::int64_t value) { return reduced(*impl_, value, MPI_INT64_T, MPI_MIN); }
std::int64_t Session::maximum(std::int64_t value) { return reduced(*impl_, value, MPI_INT64_T, MPI_MAX); }
double Session::maximum(double value) { return reduced(*impl_, value, MPI_DOUBLE, MPI_MAX); }
double Session::minimum(double value) { return reduced(*impl_, value, MPI_DOUBLE, MPI_MIN); }

void Session::node_barrier() {
  await(impl_->waiter, "MPI_Ibarrier",
        [&](MPI_Request* request) { return MPI_Ibarrier(impl_->node_ranks, request); });
}
void Session::node_broadcast(std::span<std::byte> data) {
  broadcast_on(impl_->waiter, impl_->node_ranks, data, 0);
}

}  // namespace nntrain::comm
