#pragma once
// One owner of a path: "PATH.lock" beside it says which process writes it. Works where flock does not (NFS):
// the lock appears by link(), which is atomic everywhere, or by an exclusive open where there are no links.

#include <string>

#include "io/process_identity.h"
#include "io/system.h"

namespace nntrain::io {

/// What a lock file holds.
struct LockHolder {
  ProcessIdentity process;
  std::string job;               ///< Slurm's job id; "" outside of Slurm
  std::string restarts;          ///< how often Slurm has started the job anew
  std::string started;           ///< local time, for people
  std::string describe() const;  ///< "process 123 on node7 (job 45), since 2026-11-26 13:02:08"
};

class OwnerLock {
 public:
  /// Takes the lock. A lock of a process of this host that is gone, or of an earlier start of this Slurm job,
  /// is taken over. Throws InputError, within a second, when somebody holds it: the message names who, since
  /// when and what to do. WriteError when the folder cannot be written to.
  explicit OwnerLock(const std::string& path, System& system = System::posix());
  ~OwnerLock();  ///< removes the lock if it is still this one
  OwnerLock(const OwnerLock&) = delete;
  OwnerLock& operator=(const OwnerLock&) = delete;

  const std::string& lock_path() const { return lock_; }
  /// Throws RuntimeError when the lock is gone or another's: somebody removed it, and two runs may write the
  /// path.
  void require_held() const;

 private:
  bool try_take();
  bool is_held() const;

  System& system_;
  std::string path_, lock_, text_;
};

}  // namespace nntrain::io
