#pragma once
// Where the time of a run went: plain data, and the table that shows them.

#include <cstdint>
#include <string>
#include <vector>

#include "train/run/run.h"

namespace nntrain::train {

/// What the loop counted.
struct Work {
  double start_up_seconds = 0;  ///< from the program's start to the first step
  double training_seconds = 0;  ///< of epochs, without validation and checkpoints
  std::int64_t steps = 0;
  std::int64_t samples = 0;
};

struct ActivityRow {
  std::string name;
  double least_seconds = 0, mean_seconds = 0, most_seconds = 0;  ///< over ranks
};

/// Start-up, each activity, waiting and the rest: the means add up to the wall time.
struct ClosingReport {
  std::vector<ActivityRow> rows;
  double wall_seconds = 0;
  Work work;
  int ranks = 1;
  double gflops = 0;              ///< of the training seconds, all ranks together
  double core_rate_gflops = 0;    ///< measured matrix products of the slowest rank
  bool rate_is_reliable = false;  ///< every rank's measurement agreed with itself
  int slowest_rank = 0;           ///< the one that waits least: the others wait for it
  std::string slowest_host;       ///< its host
  double waiting_share = 0;       ///< mean over ranks, of the wall time
};

/// Collective. Measures the machine's rate of matrix products, which takes a moment. Complete on rank 0 only.
ClosingReport make_closing_report(Run& run, const Work& work);
/// The table's lines, and below it the sentences that matter.
std::vector<std::string> closing_lines(const ClosingReport& report);

/// Of a run that goes on nowhere, since fit.epochs is not above what is done: whether it is finished or was
/// stopped, and where.
std::string nothing_to_do_text(const Run& run);
/// Of a fresh run whose fit.epochs left nothing to do.
std::string no_epoch_text(const Run& run);

}  // namespace nntrain::train
