#include "comm/session/launcher.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "comm/session/mpi_call.h"
#include "comm/session/session.h"
#include "core/error.h"

namespace nntrain::comm {

namespace {

struct Launcher {
  const char* size;     ///< variable with the number of processes; null where there is none
  const char* rank;     ///< variable with this process' index; null where there is none
  const char* started;  ///< "srun started {} tasks"
  const char* cure;
};

constexpr const char* kOwnMpirun =
    "start it with the mpirun of the MPI library that it was built with (`nntrain-dist --version` names it)";

// From the innermost launcher outwards, as far as that can be told: the first that speaks counts.
constexpr Launcher kLaunchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun of Open MPI started {} processes", kOwnMpirun},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun started {} tasks",
     "try `srun --mpi=pmix` (`srun --mpi=list` shows what this Slurm has) or `mpirun` inside the job, as "
     "launch/slurm.sbatch does; for one process alone, `srun -n 1`"},
    {"PMI_SIZE", "PMI_RANK", "a launcher with PMI, such as Hydra (MPICH, Intel MPI), started {} processes",
     kOwnMpirun},
    {"MPI_LOCALNRANKS", "MPI_LOCALRANKID", "Hydra (MPICH, Intel MPI) started {} processes on this host",
     kOwnMpirun},
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "MVAPICH's launcher started {} processes", kOwnMpirun},
    {"PALS_SIZE", "PALS_RANKID", "PALS started {} processes", kOwnMpirun},
    {nullptr, "PALS_RANKID", "PALS started {} processes or more", kOwnMpirun},
    {nullptr, "ALPS_APP_PE", "aprun started {} processes or more", kOwnMpirun},
    {nullptr, "PMIX_RANK", "a launcher with PMIx started {} processes or more", kOwnMpirun},
    {"WORLD_SIZE", "RANK", "a launcher such as torchrun means {} processes",
     "start it with `mpirun -np N nntrain-dist ...` instead; for one process alone, unset WORLD_SIZE"},
};

const char* text_in(const Environment& environment, const char* name) {
  const char* value = name == nullptr ? nullptr : environment(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// A whole number >= 0, or -1 where the variable is unset or something else.
long number_in(const Environment& environment, const char* name) {
  const char* value = text_in(environment, name);
  if (value == nullptr) return -1;
  char* end = nullptr;
  const long number = std::strtol(value, &end, 10);
  return *end == '\0' && number >= 0 ? number : -1;
}

SeveralTasks describe(const Launcher& launcher, const char* variable, long value, long tasks, long rank) {
  // Where only a rank is told, task 0 cannot know of others: the next one speaks.
  const long speaker = launcher.size == nullptr ? 1 : 0;
  return {fmt::format(fmt::runtime(launcher.started), tasks) + fmt::format(" ({}={})", variable, value),
          launcher.cure, rank <= speaker, speaker};
}

/// Does this Open MPI speak PMI-1 or PMI-2, which need no PMIx? Its plug-ins lie beside the library.
bool speaks_pmi() {
#if defined(OPEN_MPI)
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&MPI_Init), &library) == 0 || library.dli_fname == nullptr)
    return true;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(library.dli_fname, error).parent_path();
  for (const char* plugins : {"openmpi", "openmpi3", "openmpi4"})
    for (const char* name : {"mca_pmix_s1.so", "mca_pmix_s2.so"})
      if (std::filesystem::exists(folder / plugins / name, error)) return true;
  return false;
#else
  return true;  // other MPI libraries bring their own way to be started by srun
#endif
}

const Environment kProcess = [](const char* name) { return std::getenv(name); };

}  // namespace

std::optional<SeveralTasks> several_tasks(const Environment& environment) {
  for (const Launcher& launcher : kLaunchers) {
    const long rank = number_in(environment, launcher.rank);
    if (launcher.size == nullptr) {
      if (rank >= 1) return describe(launcher, launcher.rank, rank, rank + 1, rank);
      continue;
    }
    const char* variable = launcher.size;
    long tasks = number_in(environment, variable);
    // Outside of a step SLURM_NTASKS is only what the batch job asked for.
    if (tasks < 0 && std::string_view(variable) == "SLURM_STEP_NUM_TASKS" &&
        text_in(environment, "SLURM_STEP_ID") != nullptr) {
      variable = "SLURM_NTASKS";
      tasks = number_in(environment, variable);
    }
    if (tasks > 1) return describe(launcher, variable, tasks, tasks, rank);
    if (tasks == 1 && std::string_view(variable) == "OMPI_COMM_WORLD_SIZE") return std::nullopt;
  }
  return std::nullopt;
}

namespace {

/// A process of its own needs neither the daemon that Open MPI starts for a singleton, which only
/// MPI_Comm_spawn would use, nor a search for networks: 0.39 s of MPI_Init become 0.05 s. Nor a folder of
/// temporary files: all processes that are alone have the same one, and one that ends takes it from another
/// that is just about to begin, whose MPI_Init fails. What the user has set stays.
void start_alone() {
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  setenv("OMPI_MCA_pml", "ob1", 0);
  setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
}

}  // namespace

std::optional<SeveralTasks> prepare_for_launcher() {
  // Open MPI prints a stack trace where a process crashes, with calls that are not safe there: one that
  // crashes while it holds the allocator's lock, as most do whose heap is damaged, waits for ever instead of
  // ending, and the job with it (seen in one of seventy starts in which a rank was aborted). Its end itself
  // is what counts, and mpirun names rank and signal.
  setenv("OMPI_MCA_opal_signal", "", 0);
  // Asked now: a single process that goes through MPI_Init gets variables of a job of its own.
  auto tasks = several_tasks(kProcess);
  int running = 0;
  check(MPI_Initialized(&running), "MPI_Initialized");
  // With a PMIx server, which mpirun brings too, MPI_Init learns the truth.
  for (const char* name : {"PMIX_RANK", "PMIX_NAMESPACE", "OMPI_COMM_WORLD_SIZE"})
    if (text_in(kProcess, name) != nullptr) return tasks;
  if (running != 0 || speaks_pmi()) return tasks;
  refuse_lonely_ranks(1, tasks);
  unsetenv("SLURM_STEP_ID");
  start_alone();
  return tasks;
}

void refuse_lonely_ranks(int world_size, const std::optional<SeveralTasks>& tasks) {
  if (world_size > 1 || !tasks) return;
  if (!tasks->first) throw InputError(fmt::format("refused as on task {}, which says why", tasks->speaker));
  throw InputError(fmt::format("{}, but MPI sees one rank in each: every one of them would train alone; {}",
                               tasks->evidence, tasks->cure));
}

}  // namespace nntrain::comm
