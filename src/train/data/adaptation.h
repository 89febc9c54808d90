#pragma once
// Normalization.adapt: one pass over the training rows, global sums in tree order.

#include <functional>
#include <vector>

#include "comm/exchange/exchange.h"
#include "comm/session/session.h"
#include "nn/model/sequential.h"
#include "train/data/dataset.h"

namespace nntrain::train {

/// Do only views and Rescaling stand before layer `index`, so that it sees the scaled inputs?
bool adapts_on_inputs(const nn::Sequential& model, int index);

/// Moments of what layer `index` sees of the training rows, in the order of the file: batches of 4096 rows,
/// cut into the run's shards. One pass adds deviations from the mean of the first batch, and their squares,
/// in float64: what that mean is away from the final one costs digits, (difference / deviation)^2 of 1e-16.
class TrainingMoments : public nn::Adaptation {
 public:
  TrainingMoments(comm::Session& session, comm::Exchange& exchange, const nn::Sequential& model, int index,
                  DataSets& data, int shards);
  /// (input.size()) each: mean and population variance per element of a sample. Collective.
  void moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) override;

 private:
  using Look = std::function<void(const float* row, double* shard)>;
  void sum_batch(const data::Sampler& in_order, std::int64_t position, std::vector<double>& sums,
                 const Look& look);

  comm::Session& session_;
  comm::Exchange& exchange_;
  DataSets& data_;
  int shards_;
  double scale_ = 1.0, offset_ = 0.0;  ///< of the Rescaling layers before
  std::int64_t width_;
  std::vector<float> rows_;  ///< this rank's of a batch
};

}  // namespace nntrain::train
