// Which environments mean one job of several processes; no communication.

#include "comm/session/launcher.h"

#include <map>

#include "mpi_main.h"

namespace nntrain::comm {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

std::optional<SeveralTasks> tasks_in(const Variables& variables) {
  return several_tasks([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launcher, SeveralTasksOfEveryLauncher) {
  const std::vector<Variables> several = {
      {{"SLURM_STEP_ID", "0"}, {"SLURM_NTASKS", "4"}},
      {{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_NTASKS", "8"}},
      {{"PMI_SIZE", "4"}},
      {{"OMPI_COMM_WORLD_SIZE", "4"}},
      {{"MPI_LOCALNRANKS", "4"}},
      {{"MV2_COMM_WORLD_SIZE", "4"}},
      {{"PALS_SIZE", "4"}},
      {{"PMIX_RANK", "3"}},
      {{"ALPS_APP_PE", "3"}},
      {{"PALS_RANKID", "3"}},
      {{"WORLD_SIZE", "4"}},
      {{"WORLD_SIZE", "4"}, {"RANK", "0"}},
      {{"SLURM_STEP_NUM_TASKS", "1"}, {"PMI_SIZE", "4"}},
  };
  for (const Variables& variables : several) {
    const auto tasks = tasks_in(variables);
    ASSERT_TRUE(tasks.has_value()) << variables.begin()->first;
    EXPECT_NE(tasks->evidence.find(" 4 "), std::string::npos) << tasks->evidence;
    EXPECT_FALSE(tasks->cure.empty());
  }
}

TEST(Launcher, OneProcessIsWhatWasMeant) {
  const std::vector<Variables> single = {
      {},
      {{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_ID", "7"}},  // the batch script itself
      {{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_NTASKS", "8"}},
      {{"OMPI_COMM_WORLD_SIZE", "1"}, {"SLURM_STEP_NUM_TASKS", "8"}, {"WORLD_SIZE", "8"}},
      {{"PMI_SIZE", "1"}, {"PMI_RANK", "0"}},
      {{"PMIX_RANK", "0"}},
      {{"ALPS_APP_PE", "0"}},
      {{"WORLD_SIZE", "1"}, {"RANK", "0"}},
      {{"WORLD_SIZE", "big"}},
      {{"PMI_SIZE", ""}},
  };
  for (const Variables& variables : single)
    EXPECT_FALSE(tasks_in(variables).has_value()) << tasks_in(variables)->evidence;
}

TEST(Launcher, TheFirstTaskExplains) {
  EXPECT_TRUE(tasks_in({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "0"}})->first);
  EXPECT_FALSE(tasks_in({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"}})->first);
  EXPECT_TRUE(tasks_in({{"SLURM_STEP_NUM_TASKS", "4"}})->first);
}

/// Task 0 cannot tell, and says nothing.
TEST(Launcher, WhereOnlyRanksAreToldTheSecondTaskExplains) {
  for (const char* variable : {"PMIX_RANK", "ALPS_APP_PE", "PALS_RANKID"}) {
    EXPECT_TRUE(tasks_in({{variable, "1"}})->first) << variable;
    EXPECT_FALSE(tasks_in({{variable, "2"}})->first) << variable;
    EXPECT_EQ(tasks_in({{variable, "2"}})->speaker, 1) << variable;
  }
}

}  // namespace
}  // namespace nntrain::comm
