#pragma once
// data.target_scale = standardize: the loss sees targets of mean 0 and deviation 1, everybody else the user's
// units.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/shape.h"
#include "data/batch.h"
#include "nn/losses/loss.h"

namespace nntrain::train {

/// One mean and deviation for each value of a target; empty: targets are taken as they are.
struct TargetScale {
  std::vector<double> mean, deviation;

  bool active() const { return !mean.empty(); }
  /// Values of a row, value by value; any number of rows.
  void standardize(std::span<const float> targets, std::span<float> out) const;
  void restore(std::span<const float> outputs, std::span<float> out) const;
  /// For the checkpoint; null when it is not active.
  Json description() const;
  static TargetScale from(const Json& description);
};

/// Mean and population deviation of `targets`' rows, for each place of the last axis of a `sample`. Sums are
/// compensated float64 in the order of the rows, so they depend on these alone. InputError, naming the column
/// (`names`, may be empty): all targets are equal; a loss to which a target's size or sign means something.
TargetScale measure_targets(const data::ArrayView& targets, const Shape& sample, const nn::Loss& loss,
                            const std::vector<std::string>& names);

/// What a user should know of it, without "NOTE: ".
std::string describe(const TargetScale& scale, const std::vector<std::string>& names);

/// The layer that brings a model's outputs into the user's units, {class_name, config}; null without a scale.
Json restoring_layer(const TargetScale& scale);

}  // namespace nntrain::train
