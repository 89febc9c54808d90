#pragma once
// One rank's replica at work on mini-batches: gather, forward, loss, backward, metrics. No communication but
// the tree sums that a layer or a loss asks for.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tree.h"
#include "data/sampler.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "nn/variables/gradient_tree.h"
#include "train/data/dataset.h"
#include "train/step/activity_times.h"
#include "train/step/scoreboard.h"

namespace nntrain::train {

/// Which rows of a mini-batch of `batch_rows` rows a replica holds, and where its shards lie in them.
struct BatchRows {
  std::vector<std::int64_t> bounds;  ///< (local shards + 1), first 0
  std::int64_t first = 0;            ///< position of the replica's row 0 in the mini-batch
  std::int64_t count = 0;
  std::int64_t batch_rows = 0;
  void assign(ShardRange local, int shards, std::int64_t rows);
};

/// How the rows of a batch are shared, and who adds over all shards. Training has the run's shards, which may
/// be fewer than ranks; evaluation has others, so that every rank has rows.
struct Sharing {
  ShardRange local;
  int shards = 1;
  nn::GlobalSum* sums = nullptr;
  /// The most rows that `local` has of a batch of at most `batch_rows` rows.
  std::int64_t most_rows(std::int64_t batch_rows) const;
};
/// Shards of an evaluation in a run of `shards` shards.
inline int evaluation_shards(int shards) { return shards < 64 ? 64 : shards; }

struct ReplicaOptions {
  Sharing training;    ///< as it is where there is none
  Sharing evaluation;  ///< and prediction
  std::uint64_t seed = 0;
  const Products* products = &chain_products();  ///< outlives the replica; never null
  bool writes_state = true;          ///< this replica writes moving statistics into the node's values
  std::int64_t training_rows = 0;    ///< of the largest mini-batch, all ranks together
  std::int64_t evaluation_rows = 0;  ///< of the largest batch of an evaluation or prediction
  nn::Mode largest_mode = nn::Mode::kTraining;
  const TargetScale* target_scale = nullptr;  ///< outlives the replica; null: none
  nn::Sequential::Keep keep = nn::Sequential::Keep::kNothing;
};

/// A mini-batch: rows [position, position + rows) of an epoch's order.
struct BatchRequest {
  const Samples* samples = nullptr;
  const data::Sampler* sampler = nullptr;
  std::int64_t position = 0;
  std::int64_t rows = 0;
  std::uint64_t step = 0;  ///< optimizer steps since the start of the run
};

/// Where NaN or Inf first appears among this replica's rows of a mini-batch.
struct NonFinite {
  static constexpr int kNowhere = 1 << 30;
  static constexpr int kInputs = -1;
  int layer = kNowhere;            ///< index of the layer that made it; the number of layers: the loss did
  std::vector<std::int64_t> rows;  ///< this replica's, of which there is one
  float largest_given = 0;         ///< magnitude, over these rows, of what the layer was given
};

class Replica {
 public:
  /// `model` is bound, prepared and its head released; all references outlive the replica.
  Replica(nn::Sequential& model, const nn::Loss* loss, float scale, const ReplicaOptions& options,
          ActivityTimes& times);

  /// Gradients into `gradients`, loss and metrics into `board`. Collective when a layer or the loss sums.
  /// Returns false when the local loss is NaN or Inf, or a layer found a weight that is.
  bool train(const BatchRequest& batch, nn::GradientTree& gradients, Scoreboard& board);
  /// Loss and metrics into `board`. Collective as train().
  void evaluate(const BatchRequest& batch, Scoreboard& board);
  /// The model's outputs for this replica's rows: (count, outputs), valid until the next call.
  std::span<const float> predict(const BatchRequest& batch);
  /// Looks at every layer of train()'s forward pass, which leaves nothing changed. Collective as train().
  /// Rows that are read from disk: after another begin_pass().
  NonFinite find_non_finite(const BatchRequest& batch);
  const BatchRows& rows() const { return rows_; }
  /// False when rows of the last batch could not be read from disk: zeros stood for them.
  bool has_inputs() const { return has_inputs_; }
  /// Of the last batch, until the next: (rows, input.size()) times the scale, and (rows) where there are any.
  std::span<const float> inputs() const;
  std::span<const float> row_weights() const;
  /// Of the last evaluate(), until the next call: outputs (positions, classes) and targets (positions,
  /// width).
  std::span<const float> outputs() const { return outputs_; }
  std::span<const float> targets() const {
    return {targets_.data(), static_cast<std::size_t>(rows_.count * positions_per_row_ * target_width_)};
  }

 private:
  void gather(const BatchRequest& batch, const Sharing& sharing);
  nn::BatchContext context(nn::Mode mode, std::uint64_t step);
  nn::LossInputs loss_inputs(const float* logits);
  double lose(const nn::BatchContext& training, nn::LossInputs& inputs);
  double weigh(const nn::LossInputs& inputs);
  void add_batch_sums(nn::LossInputs& inputs, const float* scale);
  bool scales() const { return options_.target_scale != nullptr && options_.target_scale->active(); }
  std::span<const float> in_units(const float* outputs, std::int64_t positions);
  double score(const nn::LossInputs& inputs, double divisor, bool weighted, Scoreboard& board);
  void add_penalties(Scoreboard& board);

  nn::Sequential& model_;
  const nn::Loss* loss_;
  float scale_;
  ReplicaOptions options_;
  const Sharing* sharing_;  ///< of the batch at hand
  ActivityTimes& times_;
  std::int64_t positions_per_row_;
  std::int64_t classes_;
  std::int64_t target_width_ = 0;  ///< per position
  BatchRows rows_;
  std::vector<std::int64_t> chosen_rows_;  // (rows), of the data set, in the epoch's order
  bool weighted_ = false;
  bool has_inputs_ = true;
  std::vector<float> targets_;          // (positions, target_width)
  std::vector<float> scaled_targets_;   // the same for the loss, where there is a target scale
  std::vector<float> restored_;         // (positions, classes): outputs in the targets' units
  std::vector<float> row_weights_;      // (rows)
  std::vector<float> weights_;          // (positions): sample weight x mask
  std::vector<float> scales_;           // (positions): weight / divisor
  std::vector<float> losses_;           // (positions)
  std::vector<float> predictions_;      // (positions, classes)
  std::vector<double> loss_workspace_;  // of a loss of the whole mini-batch
  std::span<const float> outputs_;      // (positions, classes): what evaluate() scored
  bool layers_are_finite_ = true;       ///< as far as they looked in this batch
  std::vector<double> activity_loss_;   // (local shards)
  std::vector<double> shard_sums_;      // (local shards)
  std::vector<double> batch_parts_,
      batch_sums_;  // (local shards, width), (width) of a loss of the whole mini-batch
};

}  // namespace nntrain::train
