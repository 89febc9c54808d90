#include <fmt/format.h>

#include "mpi_main.h"

namespace nntrain::mpi_test {

namespace {

comm::Session* the_session = nullptr;

class EndJobOnFailure : public testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    the_session->abort(ExitCode::kRuntime,
                       fmt::format("rank {} of {}: {}:{}: {}", the_session->rank(), the_session->size(),
                                   result.file_name() == nullptr ? "?" : result.file_name(),
                                   result.line_number(), result.message()));
  }
};

}  // namespace

comm::Session& session() { return *the_session; }

void end_job_on_failure(comm::Session& session) {
  the_session = &session;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!session.is_root()) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new EndJobOnFailure);
}

}  // namespace nntrain::mpi_test
