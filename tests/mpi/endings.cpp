// Ways in which a job may end; expect_ending.sh looks at the exit code and the text.

#include <csignal>
#include <cstdio>
#include <string_view>

#include "comm/exchange/rank_exchange.h"
#include "mpi_main.h"

namespace {

using namespace nntrain;

TEST(Endings, OneRankFailsAnExpectation) {
  comm::Session& session = mpi_test::session();
  EXPECT_NE(session.rank(), 2);
  session.barrier();
  session.barrier();
}

/// One rank stops for good where the others wait for it.
int stall(comm::Session& session, std::string_view how) {
  session.end_stalls_after(5, "0:05");
  const int late = how.ends_with("root") ? 0 : 1;
  if (how == "stall_in_setup" && session.rank() == late) std::raise(SIGSTOP);
  comm::ExchangeOptions options;
  options.shards = session.size();
  options.total_floats = options.trainable_floats = 1000;
  options.trainables = {{0, 1000, true}};
  comm::RankExchange exchange(session, options);
  if (how == "stall_of_all_but_the_last" && session.rank() < session.size() - 1) std::raise(SIGSTOP);
  if (how.starts_with("stall_in_step")) {
    for (int step = 0; step < 5; ++step) {
      if (step == 3 && session.rank() == late) std::raise(SIGSTOP);
      exchange.reduce({});
      for (std::size_t piece = 0; piece < exchange.pieces().size(); ++piece) exchange.await_sum(piece);
      exchange.share();
    }
    exchange.settle();
    return 0;
  }
  if (how.starts_with("stall_in_phase")) {
    comm::collectively(session, "read the data", [&] {
      if (session.rank() == late) std::raise(SIGSTOP);
    });
  }
  if (session.rank() == late) std::raise(SIGSTOP);  // at the end, where only the session waits
  return 0;
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
    comm::RankExchange exchange(session, options);
    comm::StepFlags flags;
    exchange.reduce(flags);
    exchange.share();
    if (session.rank() == 1) session.abort(ExitCode::kDiverged, "the disk is full");
    exchange.reduce(flags);
  } else if (how.starts_with("stall")) {
    return stall(session, how);
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
    const int code = end(session, how, argc, argv);
    session.close();
    return code;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
