#include "train/data/target_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace nntrain::train {

namespace {

/// Neumaier 1974: the rounding errors of a sum are summed, too.
class Sum {
 public:
  void add(double value) {
    const double total = sum_ + value;
    rest_ += std::abs(sum_) >= std::abs(value) ? (sum_ - total) + value : (value - total) + sum_;
    sum_ = total;
  }
  double value() const { return sum_ + rest_; }

 private:
  double sum_ = 0, rest_ = 0;
};

void check_loss(const nn::Loss& loss) {
  const std::string name = loss.spec().is_object() ? loss.spec().value("class_name", "") : "";
  const bool percent = loss.divides_by_targets();
  if (loss.target_meaning() == nn::TargetMeaning::kNumbers && !percent) return;
  throw InputError(fmt::format(
      "data.target_scale = standardize: {}; leave it out, or take a loss such as mse, mae or huber",
      percent ? name + " divides by the targets, and standardised ones are near 0"
              : "compile.loss = " + name + " wants targets as they are (classes, counts or shares)"));
}

std::string column_of(const std::vector<std::string>& names, std::size_t i, std::size_t width) {
  if (i < names.size() && !names[i].empty()) return fmt::format("target \"{}\"", names[i]);
  return width == 1 ? "the target" : fmt::format("target {}", i);
}

}  // namespace

void TargetScale::standardize(std::span<const float> targets, std::span<float> out) const {
  const std::size_t width = mean.size();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::size_t c = i % width;
    out[i] = static_cast<float>((static_cast<double>(targets[i]) - mean[c]) / deviation[c]);
  }
}

void TargetScale::restore(std::span<const float> outputs, std::span<float> out) const {
  const std::size_t width = mean.size();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::size_t c = i % width;
    out[i] = static_cast<float>(static_cast<double>(outputs[i]) * deviation[c] + mean[c]);
  }
}

Json TargetScale::description() const {
  if (!active()) return {};
  return {{"mean", mean}, {"deviation", deviation}};
}

TargetScale TargetScale::from(const Json& description) {
  if (!description.is_object()) return {};
  return {description["mean"].get<std::vector<double>>(),
          description["deviation"].get<std::vector<double>>()};
}

TargetScale measure_targets(const data::ArrayView& targets, const Shape& sample, const nn::Loss& loss,
                            const std::vector<std::string>& names) {
  check_loss(loss);
  const auto width = static_cast<std::size_t>(sample.rank() == 0 ? 1 : sample.last());
  const auto count = static_cast<std::size_t>(targets.rows * targets.sample_size);
  const float* values = reinterpret_cast<const float*>(targets.memory) + targets.first * targets.sample_size;
  const auto rows = static_cast<double>(count / width);
  TargetScale scale;
  std::vector<Sum> sums(width), squares(width);
  for (std::size_t i = 0; i < count; ++i) sums[i % width].add(static_cast<double>(values[i]));
  for (const Sum& sum : sums) scale.mean.push_back(sum.value() / rows);
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(values[i]) - scale.mean[i % width];
    squares[i % width].add(distance * distance);
  }
  for (std::size_t c = 0; c < width; ++c) {
    scale.deviation.push_back(std::sqrt(squares[c].value() / rows));
    const bool equal = [&] {
      for (std::size_t i = c; i < count; i += width)
        if (values[i] != values[c]) return false;
      return true;
    }();
    if (!equal) continue;
    throw InputError(
        fmt::format("data.target_scale = standardize: {} is {:g} in all {:.0f} training rows, so there is no "
                    "deviation to "
                    "divide by; leave it out of the targets, or data.target_scale out",
                    column_of(names, c, width), values[c], rows));
  }
  return scale;
}

std::string describe(const TargetScale& scale, const std::vector<std::string>& names) {
  const std::size_t width = scale.mean.size();
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(width, 6); ++i)
    list += fmt::format("{}{} - {:.7g}) / {:.7g}", i == 0 ? "(" : ", (",
                        i < names.size() && !names[i].empty() ? names[i]
                        : width == 1                          ? "target"
                                                              : fmt::format("target {}", i),
                        scale.mean[i], scale.deviation[i]);
  return fmt::format(
      "data.target_scale = standardize: the loss is that of {}{}; metrics and predictions are in the "
      "targets' "
      "own units. Keras reading the checkpoint itself gets standardised outputs, an exported model has a "
      "last "
      "layer that restores the units",
      list, width > 6 ? ", ..." : "");
}

Json restoring_layer(const TargetScale& scale) {
  if (!scale.active()) return {};
  const bool one = scale.mean.size() == 1;
  return {{"class_name", "Rescaling"},
          {"config",
           {{"scale", one ? Json(scale.deviation[0]) : Json(scale.deviation)},
            {"offset", one ? Json(scale.mean[0]) : Json(scale.mean)}}}};
}

}  // namespace nntrain::train
