// Ways in which a job may end; expect_ending.sh looks at the exit code and the text.

#include <cstdio>
#include <string_view>

#include "comm/exchange/exchange.h"
#include "mpi_main.h"

namespace {

using namespace nntrain;

TEST(Endings, OneRankFailsAnExpectation) {
  comm::Session& session = mpi_test::session();
  EXPECT_NE(session.rank(), 2);
  session.barrier();
  session.barrier();
}

int end(comm::Session& session, std::string_view how, int argc, char** argv) {
  if (how == "abort") {
    if (session.rank() == 1) session.abort(ExitCode::kDiverged, "the disk is full");
    session.barrier();
  } else if (how == "abort_root") {
    if (session.is_root()) session.abort(ExitCode::kRuntime, "the disk is full");
    session.barrier();
  } else if (how == "abort_in_step") {
    comm::ExchangeOptions options;
    options.shards = session.size();
    options.total_floats = options.trainable_floats = 1000;
    options.trainables = {{0, 1000, true}};
    comm::Exchange exchange(session, options);
    comm::StepFlags flags;
    exchange.reduce(flags);
    exchange.share();
    if (session.rank() == 1) session.abort(ExitCode::kDiverged, "the disk is full");
    exchange.reduce(flags);
  } else if (how == "expect") {
    testing::InitGoogleTest(&argc, argv);
    mpi_test::end_job_on_failure(session);
    return RUN_ALL_TESTS();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "none";
  try {
    comm::Session session(argc, argv);
    if (how == "unwind" && session.rank() == 1) throw RuntimeError("nobody caught me in time");
    return end(session, how, argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
