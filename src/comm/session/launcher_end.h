#pragma once
// Where mpirun does not end although its job is over. Local, no call of MPI.

#include <sys/types.h>

namespace nntrain::comm {

/// By a rank that ends the job because another host is silent: mpirun waits for that host's daemon for as
/// long as the kernel sends again, a quarter of an hour. Where mpirun is this process' parent and still there
/// after some seconds, a process of its own kills it (exit code 137).
void end_mpirun_that_hangs();

/// While one lives, this process may die inside MPI_Init, and mpirun, or another host's daemon, may then hang
/// in PMIx_server_finalize with no rank left: the thread that died with a rank's connection holds a lock
/// (Debian's PMIx 4.2.2; one time in twenty on a busy machine). Or, less often, it takes no notice, and the
/// other ranks wait. So a process of its own waits for the end of this one. Two seconds later it kills ranks
/// that are still there: MPI has started for none of them. When the launcher has had no rank for two seconds
/// it is killed, too, and the job's segments in shared memory are removed; its standard error says so. One
/// process speaks for all ranks of a host. Nothing where the launcher is none of Open MPI's, or where the
/// system gives no process: a guard, no condition of a run. An orted that serves several jobs (orte-dvm)
/// would be ended with the one.
class StartGuard {
 public:
  StartGuard();
  ~StartGuard();  ///< MPI_Init is over
  StartGuard(const StartGuard&) = delete;
  StartGuard& operator=(const StartGuard&) = delete;

 private:
  int alive_ = -1;  ///< closes with this process
  pid_t guard_ = -1;
};

}  // namespace nntrain::comm
