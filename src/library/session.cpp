#include "nntrain/session.h"

#include "comm/session/session.h"
#include "core/products/gemm.h"

namespace nntrain {

Session::Session(int& argc, char**& argv) {
  gemm::use_one_thread();
  session_ = std::make_unique<comm::Session>(argc, argv);
}

Session::Session(int fortran_communicator) {
  gemm::use_one_thread();
  session_ = std::make_unique<comm::Session>(fortran_communicator);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

void Session::close() { session_->close(); }
int Session::rank() const { return session_->rank(); }
int Session::size() const { return session_->size(); }

}  // namespace nntrain
