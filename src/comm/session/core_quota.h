#pragma once
// How much processor time the control group of this process allows: what a container, a service or a batch
// system sets beside the affinity mask.

#include <string>

namespace nntrain::comm {

/// Cores' worth of time, rounded up, at least 1; a very large number without a limit. The smallest limit of
/// the process's group and of the groups above it, cgroup v2 and v1. `root`: put before /proc and /sys, for
/// tests.
int core_quota(const std::string& root = "");

}  // namespace nntrain::comm
