#pragma once
// Other processes of this host, as the kernel tells of them: of a rank that says nothing, this is all there
// is.

#include <cstdint>
#include <string>
#include <vector>

namespace nntrain::comm {

/// A file below /proc/PID; empty where it cannot be read, as of a process that ends meanwhile.
std::string text_of_process_file(const std::string& path);

/// What the kernel says that the process does where that explains a silence ("stopped by a signal or a
/// debugger"), or "".
std::string state_of_process(std::int64_t pid);

/// One that has not ended; a zombie has.
bool has_running_child(std::int64_t pid);

struct Sibling {
  std::int64_t pid = 0;
  long rank = -1;
};

/// The ranks that this process started, as it numbers them, in that order. What cannot be read is left out.
std::vector<Sibling> ranks_of(std::int64_t launcher);
/// Those of the process that started this one; this one included.
std::vector<Sibling> ranks_beside_me();

/// The hosts of this job as its launcher writes them, "node[1:1-4]"; empty where it tells nobody. For
/// messages: who has not been heard of cannot be told inside MPI. Local.
std::string hosts_of_job();
/// The same in an environment's value or a command line of Open MPI's: "... orte_node_regex
/// node[1:1-4]@0(4)". Pure.
std::string hosts_in(const std::string& text);

}  // namespace nntrain::comm
