#pragma once
// Losses (Keras: keras.losses). A loss works on positions: a sample of output shape (d1, .., c) has
// d1 * .. positions of c classes each; a plain MLP has one position per row.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "core/shape.h"
#include "nn/activations/head.h"

namespace nntrain::nn {

/// How per-position losses become the batch's loss (Keras' `reduction`).
enum class Reduction { kSumOverBatchSize, kSum, kMeanWithSampleWeight };

/// What a loss wants its targets to be for a given output.
enum class TargetForm { kValues, kClassIndex, kOneHot };

/// What the numbers of a target mean to a loss: which of them it can take.
enum class TargetMeaning {
  kNumbers,       ///< any
  kCounts,        ///< not below 0
  kDistribution,  ///< shares in [0, 1]
  kClasses,       ///< one class a position
  kGroups,        ///< classes that only tell which samples belong together; outputs are no classes
  kLabels,        ///< each output yes or no (or a probability)
  kSigns          ///< each output yes or no, as 1 and 0 or as 1 and -1
};

/// What the numbers of a model's output mean to a loss.
enum class OutputMeaning {
  kValues,         ///< estimates of the targets themselves, or scores of the loss's own
  kProbabilities,  ///< of classes or labels
  kLogits,         ///< the same before softmax or sigmoid (from_logits)
  kSigns           ///< above 0: yes
};

/// Some positions of one replica. Row-major.
struct LossInputs {
  std::int64_t positions = 0;
  std::int64_t classes = 0;            ///< last extent of the output
  std::int64_t target_width = 0;       ///< classes, or 1 for sparse losses
  const float* targets = nullptr;      ///< (positions, target_width); class indices are whole floats
  const float* logits = nullptr;       ///< (positions, classes): the model's output before `head`
  const float* predictions = nullptr;  ///< (positions, classes): head(logits); == logits for kNone
  Head head = Head::kNone;
  std::int64_t first_position = 0;  ///< of the mini-batch that these are a part of
  std::int64_t batch_positions = 0;
  std::span<const double> batch_sums;        ///< what add_batch_sums() left, summed over the whole mini-batch
  std::vector<double>* workspace = nullptr;  ///< of the caller, for a loss with batch sums; it grows once
};

class Loss : public Described {
 public:
  /// The target shape one sample must have for `output` shape; throws InputError with Keras' words when
  /// `target` does not fit. (A (n,) target against an (n, 1) output is fine, as in Keras.)
  virtual void check_shapes(const Shape& target, const Shape& output) const = 0;
  /// Does the loss take class indices (sparse)? Then targets are checked to lie in [0, classes).
  virtual bool sparse() const { return false; }
  /// The form of targets for this output; `train` converts class indices and one-hot vectors into it.
  virtual TargetForm target_form(const Shape& output) const {
    (void)output;
    return sparse() ? TargetForm::kClassIndex : TargetForm::kValues;
  }
  virtual TargetMeaning target_meaning() const { return TargetMeaning::kNumbers; }
  /// Relative errors: meaningless near a target of 0, as standardised targets are.
  virtual bool divides_by_targets() const { return false; }
  virtual OutputMeaning output_meaning() const { return OutputMeaning::kValues; }
  /// True when the loss computes value and gradient from logits under this head.
  virtual bool fuses(Head head) const { return head == Head::kNone; }

  Reduction reduction() const { return reduction_; }
  /// Positions that do not count (ignore_class): writes 0 or 1 into `mask` (positions). False: none, ever.
  virtual bool mask(const LossInputs& inputs, std::span<float> mask) const {
    (void)inputs, (void)mask;
    return false;
  }
  virtual bool has_mask() const { return false; }
  /// The class whose positions the mask leaves out.
  virtual std::optional<std::int64_t> ignored_class() const { return std::nullopt; }

  /// A loss that does not split into positions (Dice over the whole mini-batch, Circle): how many sums over
  /// the mini-batch compute() needs; 0 for all others. Such a loss gives every position the same value.
  virtual std::int64_t batch_sums(std::int64_t batch_positions, std::int64_t classes) const {
    return (void)batch_positions, (void)classes, 0;
  }
  /// Adds what these positions contribute to `sums`. `scale` as for compute(); null when no gradient follows.
  virtual void add_batch_sums(const LossInputs& inputs, const float* scale, std::span<double> sums) const {
    (void)inputs, (void)scale, (void)sums;
  }

  /// values[i] = loss of position i. d_logits (positions, classes), when not null,
  /// = scale[i] * d loss_i / d logits (head fused) ; `scale` (positions) holds weight / divisor.
  /// One pass; local; the bits of a position do not depend on the others.
  virtual void compute(const LossInputs& inputs, const float* scale, float* values,
                       float* d_logits) const = 0;

 protected:
  Reduction reduction_ = Reduction::kSumOverBatchSize;
};

/// Class names, snake_case functions and Keras' short names all work.
Registry<Loss>& losses();

}  // namespace nntrain::nn
