#include "mpi_main.h"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  try {
    nntrain::comm::Session session(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    nntrain::mpi_test::end_job_on_failure(session);
    const int code = RUN_ALL_TESTS();
    session.close();
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
