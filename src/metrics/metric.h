#pragma once
// Metrics (Keras: keras.metrics) as sums. A metric owns no state: it adds to accumulators (float64) that
// `train` keeps per shard and adds along the tree, so a result is exact for every number of ranks.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "core/shape.h"

namespace nntrain::metrics {

/// Positions of one shard (see nn/loss.h: a plain MLP has one position per row).
struct MetricInputs {
  std::int64_t positions = 0;
  std::int64_t classes = 0;
  std::int64_t target_width = 0;
  const float* targets = nullptr;      ///< (positions, target_width)
  const float* predictions = nullptr;  ///< (positions, classes)
  const float* weights = nullptr;      ///< (positions) or null: all 1
};

class Metric : public Described {
 public:
  /// Shapes of one sample; fixes sizes (classes, thresholds). Called once; throws InputError.
  virtual void build(const Shape& target, const Shape& output) { (void)target, (void)output; }
  /// How many accumulators; valid after build().
  virtual std::int64_t size() const = 0;
  /// Adds these positions to `sums` (size()). Local; no allocation after the first call.
  virtual void update(const MetricInputs& inputs, std::span<double> sums) const = 0;
  /// The value from global sums; `values` receives one number, or one per class where Keras gives an array.
  virtual void result(std::span<const double> sums, std::vector<double>& values) const = 0;
  /// Does a larger value mean better (EarlyStopping mode="auto")?
  virtual bool larger_is_better() const { return false; }
  /// Are targets signs, -1 and 1, where 0 stands for -1 when there are only 0 and 1? (Hinges.)
  virtual bool takes_signs() const { return false; }
  /// Keras' key in history: the argument `name`, or the default ("auc", "precision").
  virtual std::string name() const;
};

Registry<Metric>& metrics();

/// Throws InputError when make_metric() would not know the name or an argument. Pure.
void check_metric(const Json& spec);

/// The metric that Keras means by `name` for these shapes and loss: "accuracy"/"acc" become Binary-,
/// Categorical- or SparseCategoricalAccuracy, "crossentropy"/"ce" likewise; others go to the registry.
/// `sparse_targets`: target_width 1 with class indices. The history key is kept in `key` ("accuracy").
std::unique_ptr<Metric> make_metric(const Json& spec, const Shape& target, const Shape& output,
                                    std::string& key);

}  // namespace nntrain::metrics
