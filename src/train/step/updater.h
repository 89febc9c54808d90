#pragma once
// The optimizer step on what this rank owns: between the exchange's two verbs.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/exchange/exchange.h"
#include "nn/model/sequential.h"
#include "optim/optimizer.h"
#include "train/step/activity_times.h"
#include "train/step/deferred_gradients.h"
#include "train/step/store_trial.h"

namespace nntrain::train {

class Updater {
 public:
  /// All references outlive the updater; `deferred` may be null. Optimizer state starts as the optimizer
  /// says.
  Updater(comm::Exchange& exchange, nn::Sequential& model, optim::Optimizer& optimizer,
          DeferredGradients* deferred, ActivityTimes& times);

  /// Collective. Reduces the gradients of a mini-batch of `batch_rows` rows, steps this rank's pieces, shares
  /// the new values. `flags` come back as every rank's joined. On several nodes values may still arrive when
  /// it returns: Exchange::settle(). With kFlagNonFinite among all ranks' flags nothing is stepped.
  void step(std::int64_t iteration, double learning_rate, std::int64_t batch_rows, comm::StepFlags& flags);
  /// Collective. Keras' finalize_variable_values at the end of fit.
  void finalize();

  /// Collective. State array k of all ranks on rank 0 (trainable_floats), empty elsewhere; and back.
  std::vector<float> gather_slot(int slot);
  void scatter_slot(int slot, std::span<const float> whole_on_root);
  /// The same without the flat array: range by range, on rank 0.
  void gather_slot(int slot, const comm::Exchange::TakeRange& take);
  int slots() const { return static_cast<int>(slots_.size()); }

  /// Which variables may not be cut, for the exchange: constrained ones and what the optimizer asks for.
  static std::vector<comm::Extent> extents(const nn::Sequential& model, const optim::Optimizer& optimizer);

 private:
  void make_pieces();
  std::vector<optim::Segment> segments_of(const comm::Range& range) const;
  bool is_deferred(const optim::Segment& segment) const;
  void await_sum(std::size_t piece);
  template <class Use>
  void for_blocks(const optim::Segment& segment, std::int64_t batch_rows, Use use);
  void make_gradients(const optim::Slice& slice, std::int64_t batch_rows);
  void step_values(const optim::Slice& slice, optim::Segment part, float* values, float* gradient,
                   const optim::StepInfo& info);
  void step_by_blocks(const optim::Slice& slice, const optim::StepInfo& info, std::int64_t batch_rows);
  void take_norms(const optim::NormRequest& wanted, optim::StepInfo& info);
  void sum_squares(const float* flat, std::vector<double>& per_variable);
  void constrain(const optim::Slice& slice);

  comm::Exchange& exchange_;
  nn::Sequential& model_;
  optim::Optimizer& optimizer_;
  DeferredGradients* deferred_;
  ActivityTimes& times_;
  std::vector<const nn::Variable*> trainables_;        ///< in the order of the flat array
  std::vector<std::vector<float>> slots_;              ///< piece by piece
  std::vector<std::vector<optim::Segment>> segments_;  ///< per piece
  std::vector<optim::Slice> slices_;                   ///< per piece
  optim::Slice part_;                                  ///< what a step by blocks sees
  std::vector<float> block_;                           ///< rows of a deferred gradient
  std::vector<float> copied_;                          ///< values at hand; empty: nobody else reads values
  StoreTrial store_trial_;
  std::vector<double> chunk_sums_;
  std::vector<double> gradient_norms_, value_norms_, update_norms_;
};

}  // namespace nntrain::train
