#pragma once
// The ranks that train together.

#include <memory>

namespace nntrain {

namespace comm {
class Session;
}

/// Every method is collective over the session's ranks. Errors arrive as exceptions of nntrain/error.h, alike
/// on all ranks where a phase can fail on one of them. No signal handler is installed and exit() is never
/// called.
class Session {
 public:
  /// All of MPI_COMM_WORLD. Calls MPI_Init when nobody has; close() then calls MPI_Finalize. Throws
  /// InputError when a launcher meant one job but started single processes.
  Session(int& argc, char**& argv);
  /// The ranks of a communicator of the program's, given as MPI_Comm_c2f(communicator): several sessions in
  /// one job, side by side or one after the other. MPI is left as it was found.
  explicit Session(int fortran_communicator);
  /// Does not communicate: close() first.
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) = delete;

  /// Gives shared memory and communicators back. Models and results of the session are used no more.
  void close();

  int rank() const;
  int size() const;
  bool is_root() const { return rank() == 0; }

  comm::Session& internal() const { return *session_; }  ///< for the library itself

 private:
  std::unique_ptr<comm::Session> session_;
};

}  // namespace nntrain
