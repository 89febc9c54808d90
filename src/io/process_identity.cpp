#include "io/process_identity.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace nntrain::io {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// State and start time of a process (proc(5), /proc/pid/stat, fields 3 and 22).
struct ProcessStat {
  char state = '\0';  ///< '\0': there is none
  std::int64_t start = 0;
};

ProcessStat stat_of(std::int64_t pid) {
  const std::string line = first_line("/proc/" + std::to_string(pid) + "/stat");
  ProcessStat stat;
  const std::size_t name_end = line.rfind(')');  // the name may hold blanks and brackets
  if (name_end == std::string::npos) return stat;
  std::istringstream fields(line.substr(name_end + 1));
  fields >> stat.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> stat.start;
  return stat;
}

std::string own_pid_namespace() {
  std::array<char, 64> target{};
  const ssize_t length = ::readlink("/proc/self/ns/pid", target.data(), target.size() - 1);
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  std::string text(name.data());
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return text.empty() ? "unknown" : text;
}

ProcessIdentity ProcessIdentity::of_this_process() {
  ProcessIdentity self;
  self.host = host_name();
  self.pid = ::getpid();
  self.start = stat_of(self.pid).start;
  self.boot = first_line("/proc/sys/kernel/random/boot_id");
  self.pid_namespace = own_pid_namespace();
  return self;
}

Alive is_alive(const ProcessIdentity& process) {
  const ProcessIdentity self = ProcessIdentity::of_this_process();
  if (process.host != self.host) return Alive::kUnknown;
  // The machine was started anew since: nothing of then runs.
  if (!process.boot.empty() && !self.boot.empty() && process.boot != self.boot) return Alive::kNo;
  if (!process.pid_namespace.empty() && process.pid_namespace != self.pid_namespace) return Alive::kUnknown;
  if (process.pid <= 0) return Alive::kUnknown;
  if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return Alive::kNo;
  const ProcessStat now = stat_of(process.pid);
  if (now.state == '\0') return Alive::kYes;  // there, but /proc does not show other users' processes
  if (now.state == 'Z' || now.state == 'X') return Alive::kNo;
  if (process.start > 0 && now.start > 0 && now.start != process.start) return Alive::kNo;  // a reused number
  return Alive::kYes;
}

}  // namespace nntrain::io
