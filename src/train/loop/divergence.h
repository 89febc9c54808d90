#pragma once
// What follows NaN or Inf: where it came from, the mini-batch in a file, and the way back (fit.on_nan).

#include <string>
#include <vector>

#include "checkpoint/bad_batch.h"
#include "train/loop/saver.h"
#include "train/run/run.h"

namespace nntrain::train {

class Divergence {
 public:
  /// Both outlive it.
  Divergence(Run& run, const Saver& saver) : run_(run), saver_(saver) {}

  /// Collective. Are all values finite?
  bool values_are_finite();

  /// What the step said: it was refused and changed nothing, or it was the last one and left a value that is
  /// not finite.
  enum class Step { kRefused, kDone };
  /// Collective. Finds out where NaN or Inf of `batch` begins and writes the batch beside the checkpoint.
  void examine(const BatchRequest& batch, Step step);
  /// Collective, after examine(). fit.on_nan = rollback: the run is that of its last checkpoint, its learning
  /// rate halved. False: the run ends.
  bool roll_back();

  /// The same on all ranks; "" before examine().
  const std::string& message() const { return message_; }

 private:
  struct Origin {  ///< of all ranks
    int layer = NonFinite::kNowhere;
    std::vector<std::int64_t> rows;  ///< numbers in the data, ascending
    std::string first_rank;          ///< "rank 1 on node2", which has the first of them
    float largest_given = 0;
  };
  Origin find_origin(const BatchRequest& batch);
  std::string text_of(const Origin& origin) const;
  std::string bad_values() const;
  std::string write_batch(const BatchRequest& batch, const Origin& origin, Step step);

  Run& run_;
  const Saver& saver_;
  std::string message_;
};

}  // namespace nntrain::train
