#include "nntrain/session.h"

#include "comm/session/session.h"
#include "core/log.h"
#include "core/products/gemm.h"

namespace nntrain {

Session::Session(int& argc, char**& argv) {
  gemm::use_one_thread();
  session_ = std::make_unique<comm::Session>(argc, argv);
  log::start(session_->is_root() ? log::Voice::kSpeaks : log::Voice::kSilent);
}

Session::Session(int fortran_communicator) {
  gemm::use_one_thread();
  session_ = std::make_unique<comm::Session>(fortran_communicator);
  log::start(session_->is_root() ? log::Voice::kSpeaks : log::Voice::kSilent);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

void Session::close() { session_->close(); }
int Session::rank() const { return session_->rank(); }
int Session::size() const { return session_->size(); }

}  // namespace nntrain
