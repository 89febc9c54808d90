#include "train/data/targets.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/registry.h"

namespace nntrain::train {

namespace {

std::vector<float> to_float(const data::ArrayInfo& info, std::span<const std::byte> raw) {
  const auto count = static_cast<std::size_t>(info.rows * info.sample.size());
  std::vector<float> values(count);
  if (info.element == data::Element::kFloat32) {
    std::memcpy(values.data(), raw.data(), count * sizeof(float));
  } else {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(raw[i]);
  }
  return values;
}

std::string row_of(const TargetRules& rules, std::int64_t row) {
  return rules.where + ", row " + std::to_string(row);
}

/// The index of the positive class: its name among class_names, or a number.
std::int64_t positive_index(const TargetRules& rules, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == rules.positive_class) return static_cast<std::int64_t>(i);
  }
  char* end = nullptr;
  const long long index = std::strtoll(rules.positive_class.c_str(), &end, 10);
  if (*end == '\0' && !rules.positive_class.empty()) return index;
  const std::string near = nearest(rules.positive_class, names);
  throw InputError("data.positive_class = " + rules.positive_class + " is none of the classes of " +
                   rules.where + (near.empty() ? "" : "; did you mean " + near + "?"));
}

void check_labels(const std::vector<float>& labels, std::int64_t per_row, std::int64_t classes,
                  const TargetRules& rules) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float label = labels[i];
    if (label == std::floor(label) && label >= 0 && label < static_cast<float>(classes)) continue;
    std::string text = std::to_string(label);
    if (label == std::floor(label)) text = std::to_string(static_cast<std::int64_t>(label));
    throw InputError(row_of(rules, static_cast<std::int64_t>(i) / per_row) + ": label " + text +
                     " lies outside the classes [0, " + std::to_string(classes) +
                     ") of the model's output; check the targets or the units of the last layer");
  }
}

std::vector<float> one_hot(const std::vector<float>& labels, std::int64_t classes) {
  std::vector<float> values(labels.size() * static_cast<std::size_t>(classes), 0.0F);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    values[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])] = 1.0F;
  }
  return values;
}

std::vector<float> arg_max(const std::vector<float>& values, std::int64_t classes) {
  const std::size_t width = static_cast<std::size_t>(classes);
  std::vector<float> labels(values.size() / width);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    labels[i] = static_cast<float>(std::max_element(row, row + classes) - row);
  }
  return labels;
}

}  // namespace

PreparedTargets prepare_targets(const data::ArrayInfo& info, std::span<const std::byte> raw,
                                const TargetRules& rules) {
  PreparedTargets prepared{info, to_float(info, raw)};
  prepared.info.element = data::Element::kFloat32;
  std::vector<float>& values = prepared.values;
  Shape& sample = prepared.info.sample;
  if (sample.rank() == 0) sample = Shape{1};

  if (!rules.positive_class.empty()) {
    const std::vector<std::string>& names = info.class_names.empty() ? rules.class_names : info.class_names;
    const auto positive = static_cast<float>(positive_index(rules, names));
    for (float& value : values) value = value == positive ? 1.0F : 0.0F;
    prepared.info.class_names = {"not " + rules.positive_class, rules.positive_class};
  }
  const std::int64_t classes = rules.output_shape.last();
  const std::int64_t positions = rules.output_shape.leading();
  const bool holds_indices = sample.size() == positions &&
                             (sample.last() != classes || classes == 1 || rules.output_shape.rank() > 1);
  const nn::TargetForm form = rules.loss->target_form(rules.output_shape);
  if (form == nn::TargetForm::kClassIndex) {
    if (!holds_indices && sample == rules.output_shape && classes > 1) {
      values = arg_max(values, classes);
      std::vector<std::int64_t> extents = sample.extents();
      extents.back() = 1;
      sample = Shape(extents);
    }
    if (sample.size() == positions) check_labels(values, positions, classes, rules);
  } else if (form == nn::TargetForm::kOneHot && classes > 1 && holds_indices) {
    check_labels(values, positions, classes, rules);
    values = one_hot(values, classes);
    sample = rules.output_shape;
  }
  try {
    rules.loss->check_shapes(sample, rules.output_shape);
  } catch (const InputError& error) {
    const std::string loss =
        rules.loss->spec().is_object() ? " = " + rules.loss->spec()["class_name"].get<std::string>() : "";
    throw InputError((rules.loss_origin.empty() ? "compile.loss" : rules.loss_origin) + loss + ": " +
                     error.what() + " (targets: " + rules.where + "; output: the model's last layer)");
  }
  return prepared;
}

std::vector<float> class_weights(const data::ArrayInfo& info, std::span<const float> targets,
                                 const std::map<std::int64_t, double>& weights) {
  const auto width = static_cast<std::size_t>(info.sample.size());
  std::vector<float> result(static_cast<std::size_t>(info.rows), 1.0F);
  for (std::size_t row = 0; row < result.size(); ++row) {
    const float* target = targets.data() + row * width;
    const float label = width == 1 ? std::round(*target)
                                   : static_cast<float>(std::max_element(target, target + width) - target);
    if (width == 1 && label != *target) {
      throw InputError("fit.class_weight needs targets that are classes; row " + std::to_string(row) +
                       " of the targets is " + std::to_string(*target));
    }
    const auto found = weights.find(static_cast<std::int64_t>(label));
    if (found != weights.end()) result[row] = static_cast<float>(found->second);
  }
  return result;
}

std::vector<float> read_sample_weights(const std::string& source, const std::string& key, std::int64_t rows) {
  data::SourceOptions options;
  options.source = source;
  options.role = data::Role::kWeights;
  options.key = key;
  const std::unique_ptr<data::ArraySource> opened = data::open_array(options);
  const data::ArrayInfo& info = opened->info();
  if (info.rows != rows || info.sample.size() != 1) {
    throw InputError(key + " \"" + source + "\" holds " + std::to_string(info.rows) + " rows of shape " +
                     info.sample.to_string() + "; one weight for each of the " + std::to_string(rows) +
                     " samples is expected");
  }
  std::vector<std::byte> raw(static_cast<std::size_t>(info.bytes()));
  opened->read(raw);
  std::vector<float> weights = to_float(info, raw);
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (!(weights[row] >= 0)) {
      throw InputError(key + " \"" + source + "\", row " + std::to_string(row) + ": weight " +
                       std::to_string(weights[row]) + " is negative");
    }
  }
  return weights;
}

}  // namespace nntrain::train
