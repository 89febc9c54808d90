#include "train/report/process_identity.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

namespace nntrain::train {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Field 22 of /proc/PID/stat; 0 when there is none. The name before it may hold blanks and brackets.
std::int64_t start_of(std::int64_t process) {
  const std::string line = first_line("/proc/" + std::to_string(process) + "/stat");
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22 && fields >> field; ++i) {
  }
  return fields ? std::strtoll(field.c_str(), nullptr, 10) : 0;
}

/// Z: ended, but its parent has not looked yet.
bool is_zombie(std::int64_t process) {
  const std::string line = first_line("/proc/" + std::to_string(process) + "/stat");
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") Z") == 0;
}

std::string text_of(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

std::int64_t number_of(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number_integer()
             ? json[key].get<std::int64_t>()
             : 0;
}

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity identity;
  std::array<char, 256> text{};
  if (::gethostname(text.data(), text.size() - 1) == 0) identity.host = text.data();
  identity.boot = first_line("/proc/sys/kernel/random/boot_id");
  text.fill('\0');
  if (::readlink("/proc/self/ns/pid", text.data(), text.size() - 1) > 0) identity.container = text.data();
  identity.process = ::getpid();
  identity.start = start_of(identity.process);
  return identity;
}

Json to_json(const ProcessIdentity& identity) {
  return {{"host", identity.host},
          {"process", identity.process},
          {"start", identity.start},
          {"boot", identity.boot},
          {"container", identity.container}};
}

ProcessIdentity process_identity(const Json& json) {
  return {text_of(json, "host"), text_of(json, "boot"), text_of(json, "container"),
          number_of(json, "process"), number_of(json, "start")};
}

Life life_of(const ProcessIdentity& identity) {
  const ProcessIdentity here = this_process();
  if (identity.process <= 0 || identity.host != here.host) return Life::kUnknown;
  if (identity.boot != here.boot) return Life::kEnded;  // this machine was started again since
  if (identity.container != here.container) return Life::kUnknown;
  if (::kill(static_cast<pid_t>(identity.process), 0) != 0 && errno == ESRCH) return Life::kEnded;
  return start_of(identity.process) != identity.start || is_zombie(identity.process) ? Life::kEnded
                                                                                     : Life::kAlive;
}

}  // namespace nntrain::train
