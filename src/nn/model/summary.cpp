// Keras' summary table (keras/src/utils/summary_utils.py), in plain characters.

#include <fmt/format.h>

#include <cctype>

#include "nn/model/sequential.h"

namespace nntrain::nn {

namespace {

std::string with_commas(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string readable_bytes(std::int64_t bytes) {
  double value = static_cast<double>(bytes);
  for (const char* unit : {"B", "KB", "MB", "GB"}) {
    if (value < 1024) return fmt::format("{:.2f} {}", value, unit);
    value /= 1024;
  }
  return fmt::format("{:.2f} TB", value);
}

}  // namespace

std::string summary_table(const Sequential& model) {
  constexpr const char* kLine = "{:<34}{:<24}{:>14}\n";
  const std::string rule(72, '-');
  std::string text = fmt::format("Model: \"{}\"\n{}\n", model.name(), rule);
  text += fmt::format(kLine, "Layer (type)", "Output Shape", "Param #") + std::string(72, '=') + "\n";
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = *model.layers()[i];
    std::int64_t parameters = 0;
    for (const Variable& variable : model.variables())
      parameters += variable.layer == layer.name() ? variable.size() : 0;
    text += fmt::format(kLine, layer.name() + " (" + layer.spec()["class_name"].get<std::string>() + ")",
                        model.layer_output_shape(static_cast<int>(i)).with_batch(), with_commas(parameters));
  }
  const std::int64_t total = model.parameter_count(), trainable = model.trainable_count();
  text += rule + "\n";
  text += fmt::format(" Total params: {} ({})\n", with_commas(total), readable_bytes(total * 4));
  text += fmt::format(" Trainable params: {} ({})\n", with_commas(trainable), readable_bytes(trainable * 4));
  text += fmt::format(" Non-trainable params: {} ({})", with_commas(total - trainable),
                      readable_bytes((total - trainable) * 4));
  return text;
}

}  // namespace nntrain::nn
