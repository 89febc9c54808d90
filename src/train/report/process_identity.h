#pragma once
// Which process wrote a file, and whether it is still there. Only the machine that it runs on can tell.

#include <cstdint>
#include <string>

#include "core/json.h"

namespace nntrain::train {

/// A process number alone is used again: the time of its start, the boot of its machine and its container go
/// with it.
struct ProcessIdentity {
  std::string host, boot, container;
  std::int64_t process = 0;
  std::int64_t start = 0;  ///< in the kernel's ticks
};

ProcessIdentity this_process();
Json to_json(const ProcessIdentity& identity);
/// What a file says; missing words are empty.
ProcessIdentity process_identity(const Json& json);

enum class Life { kAlive, kEnded, kUnknown };
/// kUnknown on another machine or in another container.
Life life_of(const ProcessIdentity& identity);

}  // namespace nntrain::train
