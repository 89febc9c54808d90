#pragma once
// What every Keras optimizer does around its formula (keras/src/optimizers/base_optimizer.py): accumulate,
// clip, decay, step, average. A formula sees one piece of one variable at a time.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "optim/optimizer.h"

namespace nntrain::optim {

/// One piece of a variable: n elements each.
struct Piece {
  std::int64_t size = 0;
  float* w = nullptr;
  float* g = nullptr;         ///< accumulated and clipped
  float* const* s = nullptr;  ///< the formula's slots
  const Segment* segment = nullptr;
};

class CommonOptimizer : public Optimizer {
 public:
  explicit CommonOptimizer(const Json& config);

  std::vector<std::string> slot_names() const final;
  float slot_start(int slot) const final;
  NormRequest norms() const override;
  void direct(Slice& slice, const StepInfo& info) override;
  void step(Slice& slice, const StepInfo& info) final;
  void advance(const StepInfo& info) final;
  void finalize(Slice& slice) final;
  double learning_rate(std::int64_t iteration) const final;
  void set_learning_rate(double rate) final;
  bool has_schedule() const final { return schedule_ != nullptr; }

 protected:
  /// The formula's own slots and where they start.
  virtual std::vector<std::string> own_slots() const = 0;
  virtual float own_slot_start(int slot) const {
    (void)slot;
    return 0;
  }
  /// The step of one piece; `t` counts updates from 1. Elementwise, float32.
  virtual void update(const Piece& piece, const StepInfo& info, std::int64_t t) = 0;
  virtual void advanced(std::int64_t t) { (void)t; }
  /// Decoupled weight decay is Keras' default; LARS has its own.
  virtual bool decays_decoupled() const { return true; }
  /// step() clips by the norms of what direct() left; false: direct() clips itself.
  virtual bool clips_in_step() const { return true; }
  void accumulate(Slice& slice, const StepInfo& info);
  /// clipnorm, clipvalue or global_clipnorm; `squares`: sums of squares of the gradients, by variable.
  void clip(Slice& slice, std::span<const double> squares);

  template <class Use>
  void for_pieces(Slice& slice, Use use);
  /// Updates so far, this one excluded (Keras' iterations).
  std::int64_t updates(const StepInfo& info) const {
    return info.iteration / std::max<std::int64_t>(1, options_.gradient_accumulation_steps);
  }
  bool is_update(const StepInfo& info) const {
    const std::int64_t every = options_.gradient_accumulation_steps;
    return every == 0 || (info.iteration + 1) % every == 0;
  }

  CommonOptions options_;

 private:
  void average(Slice& slice, const StepInfo& info);
  int ema_slot() const { return static_cast<int>(own_slots().size()); }
  int accumulator_slot() const { return ema_slot() + (options_.use_ema ? 1 : 0); }

  double rate_ = 0;
  std::shared_ptr<Schedule> schedule_;
};

template <class Use>
void CommonOptimizer::for_pieces(Slice& slice, Use use) {
  constexpr int kMostSlots = 8;
  float* slots[kMostSlots] = {};
  for (const Segment& segment : slice.segments) {
    for (std::size_t k = 0; k < slice.slots.size(); ++k) slots[k] = slice.slots[k] + segment.offset;
    use(Piece{segment.size, slice.values + segment.offset, slice.gradients + segment.offset, slots,
              &segment});
  }
}

/// learning_rate, then `own`, then Keras' common arguments.
std::vector<Parameter> optimizer_parameters(double learning_rate, std::vector<Parameter> own,
                                            const Json& weight_decay = nullptr);

void add_sgd(Registry<Optimizer>& registry);
void add_adam_family(Registry<Optimizer>& registry);       // Adam, AdamW, Nadam, Adamax, Lion
void add_adaptive_family(Registry<Optimizer>& registry);   // RMSprop, Adagrad, Adadelta, Ftrl, Adafactor
void add_layerwise_family(Registry<Optimizer>& registry);  // LARS, LAMB

}  // namespace nntrain::optim
