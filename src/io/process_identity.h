#pragma once
// Which process, on which machine: what locks and temporary files say about who made them.

#include <cstdint>
#include <string>

namespace nntrain::io {

struct ProcessIdentity {
  std::string host;
  std::int64_t pid = 0;
  std::int64_t start = 0;     ///< of the process, in the kernel's ticks since boot; tells a reused pid apart
  std::string boot;           ///< the kernel's boot id; "" when unknown
  std::string pid_namespace;  ///< containers count processes anew; "" when unknown

  static ProcessIdentity of_this_process();
};

enum class Alive { kYes, kNo, kUnknown };

/// Does `process` still run? kUnknown for a process of another machine or another container.
Alive is_alive(const ProcessIdentity& process);

/// The host's name, safe as a part of a file name.
std::string host_name();

}  // namespace nntrain::io
