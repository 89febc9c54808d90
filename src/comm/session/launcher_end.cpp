#include "comm/session/launcher_end.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "comm/session/process_state.h"

namespace nntrain::comm {

namespace {

const char* text_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// What mpirun would remove and cannot when it is killed: the job's segments in shared memory, and its folder
/// of temporary files; what a folder holds comes before the folder.
std::vector<std::string> leftovers_of_job() {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code error;
  if (const char* job = text_of("OMPI_MCA_ess_base_jobid"); job != nullptr) {
    const std::string tag =
        fmt::format(".{:x}.", std::strtoul(job, nullptr, 10));  // vader_segment.node1.0.4bdf0001.0
    const char* const elsewhere = text_of("OMPI_MCA_btl_vader_backing_directory");
    for (const auto& entry : fs::directory_iterator(elsewhere != nullptr ? elsewhere : "/dev/shm", error))
      if (entry.path().filename().string().find(tag) != std::string::npos) paths.push_back(entry.path());
  }
  if (const char* folder = text_of("PMIX_SERVER_TMPDIR");
      folder != nullptr && std::string_view(folder).find("/ompi.") != std::string_view::npos) {
    std::vector<std::string> inside = {folder};
    for (const auto& entry : fs::recursive_directory_iterator(folder, error)) inside.push_back(entry.path());
    paths.insert(paths.end(), inside.rbegin(), inside.rend());
  }
  return paths;
}

/// Of this process' parent, when it has one of these names: it means that process and no other, ever. -1.
int handle_of_parent(std::initializer_list<std::string_view> names) {
  const pid_t parent = getppid();
  std::string name;
  std::ifstream("/proc/" + std::to_string(parent) + "/comm") >> name;
  for (const std::string_view wanted : names)
    if (name == wanted) return static_cast<int>(syscall(SYS_pidfd_open, parent, 0U));
  return -1;
}

/// Refused where it has ended by itself, and cleaned up.
void kill_launcher(int handle, const std::vector<std::string>& leftovers) {
  if (syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0U) != 0) return;
  for (const std::string& path : leftovers)
    if (unlink(path.c_str()) != 0) rmdir(path.c_str());
}

void sleep_ms(long milliseconds) {
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

/// The first of a host's guards: whoever takes the name, which goes with the process.
bool speaks_for(pid_t launcher) {
  const int place = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("nntrain-dist start guard {}", launcher);
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // after a zero: no file
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return place < 0 || bind(place, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

void say(pid_t launcher, std::string_view what) {
  const std::string text = fmt::format(
      "nntrain-dist: a rank died while MPI started, and process {}, its launcher, did not end {}. The same "
      "command "
      "starts again\n",
      launcher, what);
  const int error = open(fmt::format("/proc/{}/fd/2", launcher).c_str(), O_WRONLY | O_APPEND | O_NOCTTY);
  if (error >= 0 && write(error, text.data(), text.size()) < 0) return;
}

void close_files(int first, int last) {
  if (first <= last) syscall(SYS_close_range, first, last, 0U);  // before Linux 5.9: they stay open
}

/// From the rank's end on.
void end_what_is_left(int launcher_handle, pid_t launcher) {
  constexpr long kLook = 100, kPatience = 2000;
  bool has_spoken = false;
  for (long alone = 0, waited = 0; alone < kPatience; waited += kLook, sleep_ms(kLook)) {
    const std::string state = state_of_process(launcher);
    if (state == "dead" || syscall(SYS_pidfd_send_signal, launcher_handle, 0, nullptr, 0U) != 0) return;
    alone = state.empty() && !has_running_child(launcher) ? alone + kLook : 0;
    if (has_spoken || waited < kPatience || alone > 0 || !state.empty()) continue;
    say(launcher, "the other ranks of this host; they were killed");
    has_spoken = true;
    for (const Sibling& rank : ranks_of(launcher)) kill(static_cast<pid_t>(rank.pid), SIGKILL);
  }
  if (!has_spoken) say(launcher, "after its last rank; it was killed");
  kill_launcher(launcher_handle, leftovers_of_job());
}

/// The guard's own process. Nothing may leave it: it would go on as a second rank.
[[noreturn]] void guard(int alive, int launcher_handle, pid_t launcher) noexcept {
  setsid();  // mpirun ends its ranks group by group
  prctl(PR_SET_NAME, "nntrain-guard");
  char nothing = 0;
  while (read(alive, &nothing, 1) < 0 && errno == EINTR) {
  }
  try {
    if (speaks_for(launcher)) end_what_is_left(launcher_handle, launcher);
  } catch (const std::exception&) {  // no memory, nearly always: then mpirun must be looked after by hand
  }
  _exit(0);
}

}  // namespace

void end_mpirun_that_hangs() {
  const int handle = handle_of_parent({"mpirun", "orterun", "mpiexec"});
  const std::vector<std::string> leftovers = leftovers_of_job();
  if (handle < 0 || fork() != 0) return;
  // Other threads were running: only calls that are safe after fork() from here on. mpirun ends its ranks
  // group by group; this process is none.
  setsid();
  sleep_ms(3000);
  kill_launcher(handle, leftovers);
  _exit(0);
}

StartGuard::StartGuard() {
  const pid_t launcher = getppid();
  const int handle = handle_of_parent({"mpirun", "orterun", "mpiexec", "orted"});
  std::array<int, 2> ends{-1, -1};  // nothing is written: whoever reads waits for the end of this process
  if (handle >= 0 && pipe2(ends.data(), O_CLOEXEC) == 0) guard_ = fork();
  if (guard_ == 0) {
    const int alive = fcntl(ends[0], F_DUPFD, 3), launcher_handle = fcntl(handle, F_DUPFD, 3);
    if (alive < 0 || launcher_handle < 0) _exit(0);
    // Whoever reads what this process' files say waits for the last one who could write.
    close_files(0, alive - 1);
    close_files(alive + 1, launcher_handle - 1);
    close_files(launcher_handle + 1, INT_MAX);
    guard(alive, launcher_handle, launcher);
  }
  for (const int unused : {handle, ends[0]})
    if (unused >= 0) close(unused);
  alive_ = ends[1];
}

StartGuard::~StartGuard() {
  if (guard_ > 0) {
    kill(guard_, SIGKILL);
    waitpid(guard_, nullptr, 0);
  }
  if (alive_ >= 0) close(alive_);
}

}  // namespace nntrain::comm
