#pragma once
// The running sums of loss and metrics, one row of float64 accumulators per local shard. They are added along
// the tree of sums only when somebody looks, so the steps of an epoch need no communication for them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "metrics/logs.h"
#include "metrics/metric.h"

namespace nntrain::train {

using metrics::Logs;

/// A metric as compile() knows it.
struct NamedMetric {
  std::unique_ptr<metrics::Metric> metric;
  std::string name;  ///< key in history
  enum class Weighting { kNone, kSampleWeights } weighting = Weighting::kNone;
};

class Scoreboard {
 public:
  /// `metrics` outlives the board.
  Scoreboard(const std::vector<NamedMetric>& metrics, int local_shards);

  void reset();
  /// A mini-batch's share of one shard: `loss_times_rows` = (share of the batch's loss) * batch rows. Keras
  /// reports the mean of batch losses weighted by their rows.
  void add_loss(int local_shard, double loss_times_rows, double rows);
  /// `inputs.weights` is used by weighted metrics only.
  void update(int local_shard, const metrics::MetricInputs& inputs);

  std::int64_t width() const { return width_; }
  std::span<double> sums() { return sums_; }  ///< (local shards, width)
  /// Results from the tree sum over all shards (width), in Keras' order (by name).
  Logs results(std::span<const double> totals, const std::string& prefix) const;

 private:
  const std::vector<NamedMetric>& metrics_;
  std::vector<std::int64_t> offsets_;  ///< of each metric's accumulators
  std::int64_t width_ = 2;             ///< loss * rows, rows
  std::vector<double> sums_;
};

}  // namespace nntrain::train
