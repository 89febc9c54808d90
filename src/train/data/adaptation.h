#pragma once
// Normalization.adapt over the training rows: exact global sums in tree order.

#include "comm/exchange/exchange.h"
#include "comm/session/session.h"
#include "nn/model/sequential.h"
#include "train/data/dataset.h"

namespace nntrain::train {

/// Do only views and Rescaling stand before layer `index`, so that it sees the scaled inputs?
bool adapts_on_inputs(const nn::Sequential& model, int index);

/// Moments of what layer `index` sees of the training rows. The rows are cut into the run's shards as one
/// batch.
class TrainingMoments : public nn::Adaptation {
 public:
  TrainingMoments(comm::Session& session, comm::Exchange& exchange, const nn::Sequential& model, int index,
                  const DataSets& data, int shards);
  /// (input.size()) each: mean and population variance per element of a sample. Collective.
  void moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) override;

 private:
  template <class Term>
  void sum_rows(std::span<double> total, Term term);

  comm::Exchange& exchange_;
  const DataSets& data_;
  int shards_;
  double scale_ = 1.0, offset_ = 0.0;  ///< of the Rescaling layers before
  std::vector<float> row_;
};

}  // namespace nntrain::train
