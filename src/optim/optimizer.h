#pragma once
// Optimizers (Keras: keras.optimizers) as loops over a slice of the flat arrays. They know variables by
// index and extent only; which rank owns which slice never changes a bit.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.h"
#include "core/shape.h"
#include "optim/schedule.h"

namespace nntrain::optim {

/// A piece of one trainable variable inside a slice.
struct Segment {
  int variable = 0;         ///< index among the trainable variables
  std::int64_t begin = 0;   ///< first element, relative to the variable
  std::int64_t offset = 0;  ///< where the piece starts, relative to the slice
  std::int64_t size = 0;
  const Shape* shape = nullptr;  ///< the whole variable's shape
};

/// What one rank owns of the flat arrays: n floats each; slots[k] is the k-th state array of the optimizer.
/// Padding between variables is not covered by a segment.
struct Slice {
  std::span<const Segment> segments;
  float* values = nullptr;     ///< w
  float* gradients = nullptr;  ///< g; may be overwritten
  std::vector<float*> slots;
};

/// Per-variable sums of squares over whole variables, the same on every rank.
struct Norms {
  std::span<const double> gradient;  ///< sum of g^2 of each trainable variable
  std::span<const double> value;     ///< sum of w^2
  std::span<const double> update;    ///< sum of u^2 where u is what direct() left in the gradients
};

struct NormRequest {
  bool gradient = false;
  bool value = false;
  bool update = false;
};

struct StepInfo {
  std::int64_t iteration = 0;  ///< optimizer steps before this one (Keras' iterations)
  float learning_rate = 0;     ///< of this step: the schedule and the callbacks applied
  Norms norms;
};

/// The arguments every Keras optimizer takes.
struct CommonOptions {
  double weight_decay = 0;  ///< decoupled: w -= w * weight_decay * lr, before the step
  double clipnorm = 0, clipvalue = 0, global_clipnorm = 0;  ///< 0: off; one at most
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::int64_t ema_overwrite_frequency = 0;      ///< 0: at the end of fit only
  std::int64_t gradient_accumulation_steps = 0;  ///< 0: off
};

class Optimizer : public Described {
 public:
  /// Names of the state arrays, each as long as the flat trainable array: {"momentum"}, {"m","v"}, and the
  /// common ones ("ema", "accumulator") when these are on.
  virtual std::vector<std::string> slot_names() const = 0;
  /// Initial value of slot k (Adagrad's accumulator starts at 0.1).
  virtual float slot_start(int slot) const {
    (void)slot;
    return 0;
  }
  /// Scalars of state besides the slots (Nadam's product), saved with the checkpoint; equal on all ranks.
  virtual std::vector<double> scalars() const { return {}; }
  virtual void set_scalars(std::span<const double> scalars) { (void)scalars; }
  /// Norms that step() reads.
  virtual NormRequest norms() const = 0;
  /// True when a variable must not be cut by slices (Adafactor's row and column means).
  virtual bool whole_variables() const { return false; }
  /// First phase, called only when norms().update: turns gradients into the update direction, in place.
  virtual void direct(Slice& slice, const StepInfo& info) { (void)slice, (void)info; }
  /// The step. Local. Elementwise results depend on nothing but the element's own w, g, slots and info.
  virtual void step(Slice& slice, const StepInfo& info) = 0;
  /// Once per step on every rank, after step(), for scalar state.
  virtual void advance(const StepInfo& info) { (void)info; }
  /// At the end of fit: Keras' finalize_variable_values (EMA overwrites the values). Local.
  virtual void finalize(Slice& slice) { (void)slice; }

  /// The rate of iteration `iteration`: the schedule's, or the constant.
  virtual double learning_rate(std::int64_t iteration) const = 0;
  /// Callbacks set it. Throws InputError when a schedule rules the rate, as Keras does.
  virtual void set_learning_rate(double rate) = 0;
  virtual bool has_schedule() const = 0;
};

Registry<Optimizer>& optimizers();

}  // namespace nntrain::optim
