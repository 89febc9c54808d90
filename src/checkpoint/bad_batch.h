#pragma once
// The mini-batch that met NaN or Inf, in a file beside the checkpoint (docs/checkpoint-format.md).

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace nntrain::checkpoint {

/// All ranks' rows, in the order of the mini-batch.
struct BadBatch {
  Shape input_shape;                   ///< of a sample
  std::vector<float> inputs;           ///< (rows, input_shape), as the first layer sees them
  std::int64_t target_width = 1;       ///< values of a sample's target
  std::vector<float> targets;          ///< (rows, target_width), as the loss sees them
  std::vector<float> weights;          ///< (rows); empty: all 1
  std::vector<std::int64_t> rows;      ///< numbers in the data
  std::vector<std::int64_t> bad_rows;  ///< those of `rows` in which NaN or Inf begins
  Json found;                          ///< what is known of it, by name
};

/// "runs/run.h5" -> "runs/run.nan.h5"; a name of that kind stays.
std::string bad_batch_path(const std::string& checkpoint);
/// Was `path` written by write_bad_batch()? Never throws.
bool is_bad_batch(const std::string& path);

/// Writes the batch to /inputs, /targets, /sample_weight and /rows. `state`, where it is not null and finite:
/// the run before the step, which makes the file a checkpoint whose next step is this batch. Returns whether
/// it is. Throws as checkpoint::write.
bool write_bad_batch(const std::string& path, const BadBatch& batch, const Contents* state);

}  // namespace nntrain::checkpoint
