#pragma once
// What the environment says about the program that started this process: N copies of a program whose MPI does
// not understand its launcher are N runs of one rank, each of which would train the whole model alone.

#include <functional>
#include <optional>
#include <string>

namespace nntrain::comm {

/// getenv, or a test's own.
using Environment = std::function<const char*(const char*)>;

/// A launcher that meant one job of several processes, and whose word is all there is.
struct SeveralTasks {
  std::string evidence;  ///< "srun started 4 tasks (SLURM_STEP_NUM_TASKS=4)"
  std::string cure;
  bool first = true;  ///< as far as the launcher tells, this is the task that explains
  long speaker = 0;   ///< the number of that task
};

/// Pure. Nothing when one process is what was meant, which Open MPI's own mpirun says with
/// OMPI_COMM_WORLD_SIZE=1 whatever surrounds it.
std::optional<SeveralTasks> several_tasks(const Environment& environment);

/// Local, before MPI_Init. No stack trace by Open MPI. Under srun without PMIx, Open MPI's MPI_Init would
/// print a page of its own and end the process. Several tasks: throws InputError with the cure. One task:
/// hides the step from Open MPI, which then runs as the single process that it is. Where only MPI_Init can
/// tell, what refuse_lonely_ranks() needs.
std::optional<SeveralTasks> prepare_for_launcher();

/// Local, after MPI_Init. Throws InputError when a launcher started several processes that MPI sees as single
/// runs.
void refuse_lonely_ranks(int world_size, const std::optional<SeveralTasks>& tasks);

}  // namespace nntrain::comm
