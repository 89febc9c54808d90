#pragma once
// Errors that reach the user: one sentence that names the file, key, row or rank, both values and the
// cure. Below the floor `cli` code only throws; `cli` turns the kind into the exit code.

#include <stdexcept>
#include <string>

namespace nntrain {

/// What a shell script learns from a run.
enum class ExitCode : int {
  kDone = 0,
  kRuntime = 1,     ///< something failed while running: a disk, a peer, memory
  kInput = 2,       ///< usage, configuration or input data: the user can mend it
  kDiverged = 3,    ///< the loss became NaN or Inf
  kResumable = 75,  ///< stopped early (time limit, signal); the same command goes on
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Usage, configuration or input data (exit code 2).
class InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ExitCode::kInput, message) {}
};

/// Something outside the user's input failed while running (exit code 1).
class RuntimeError : public Error {
 public:
  explicit RuntimeError(const std::string& message) : Error(ExitCode::kRuntime, message) {}
};

/// Training diverged (exit code 3).
class DivergedError : public Error {
 public:
  explicit DivergedError(const std::string& message) : Error(ExitCode::kDiverged, message) {}
};

}  // namespace nntrain
