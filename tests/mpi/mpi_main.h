#pragma once
// The main of the tests under mpirun. Only rank 0 reports; the first failed expectation of any rank is
// printed with its rank and ends the whole job, so that no rank waits for one that has left the test.

#include <gtest/gtest.h>

#include "comm/session/session.h"

namespace nntrain::mpi_test {

/// The one session of the process.
comm::Session& session();

/// Makes failed expectations end the job. Done by main; for programs with a main of their own.
void end_job_on_failure(comm::Session& session);

}  // namespace nntrain::mpi_test
