// Keras' summary table (keras/src/utils/summary_utils.py), in plain characters.

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

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

/// "" for layers without one.
std::string activation_of(const Layer& layer) {
  const Json& config = layer.spec()["config"];
  if (!config.contains("activation") || config["activation"].is_null()) return "";
  return detail::spec_name("activation", config["activation"]);
}

std::string titled(const Layer& layer) {
  return layer.name() + " (" + layer.spec()["class_name"].get<std::string>() + ")";
}

/// Of the first column: Keras' width, or what the longest name needs.
std::size_t name_width(const Sequential& model) {
  std::size_t width = 34;
  for (const auto& layer : model.layers()) width = std::max(width, titled(*layer).size() + 2);
  return width;
}

std::string first_columns(std::size_t width, const std::string& layer, const std::string& shape,
                          const std::string& parameters) {
  return fmt::format("{:<{}}{:<24}{:>14}", layer, width, shape, parameters);
}

std::string more_columns(const std::string& activation, const std::string& trained) {
  return fmt::format("  {:<12}{:<7}", activation, trained);
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::int64_t layer_parameters(const Sequential& model, int layer) {
  std::int64_t parameters = 0;
  for (const Variable& variable : model.variables()) {
    if (variable.layer == model.layers()[static_cast<std::size_t>(layer)]->name())
      parameters += variable.size();
  }
  return parameters;
}

std::string summary_table(const Sequential& model, SummaryColumns columns) {
  const bool all = columns == SummaryColumns::kAll;
  const std::size_t names = name_width(model), width = names + (all ? 59 : 38);
  const std::string rule(width, '-');
  std::string text = fmt::format("Model: \"{}\"\n{}\n", model.name(), rule);
  text += without_trailing_blanks(first_columns(names, "Layer (type)", "Output Shape", "Param #") +
                                  (all ? more_columns("Activation", "Trained") : ""));
  text += std::string(width, '=') + "\n";
  std::unordered_map<std::string_view, std::int64_t> parameters_of;
  for (const Variable& variable : model.variables()) parameters_of[variable.layer] += variable.size();
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = *model.layers()[i];
    const auto index = static_cast<int>(i);
    const std::int64_t parameters = parameters_of[layer.name()];
    const char* trained = parameters == 0 ? "-" : layer.trainable() ? "yes" : "no";
    const std::string activation = activation_of(layer);
    text += without_trailing_blanks(
        first_columns(names, titled(layer), model.layer_output_shape(index).with_batch(),
                      with_commas(parameters)) +
        (all ? more_columns(activation.empty() ? "-" : activation, trained) : ""));
  }
  const std::int64_t total = model.parameter_count(), trainable = model.trainable_count();
  text += rule + "\n";
  text += fmt::format(" Total params: {} ({})\n", with_commas(total), readable_bytes(total * 4));
  text += fmt::format(" Trainable params: {} ({})\n", with_commas(trainable), readable_bytes(trainable * 4));
  text += fmt::format(" Non-trainable params: {} ({})", with_commas(total - trainable),
                      readable_bytes((total - trainable) * 4));
  return text;
}

std::vector<std::string> model_notes(const Sequential& model) {
  std::vector<std::string> notes;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = *model.layers()[i];
    const Shape& shape = model.layer_output_shape(static_cast<int>(i));
    if (shape.last() != 1 || layer.output_head() != Head::kSoftmax) continue;
    notes.push_back("layer \"" + layer.name() +
                    "\": You are using a softmax over axis -1 of a tensor of shape " + shape.with_batch() +
                    ". This axis has size 1. The softmax operation will always return the value 1, which is "
                    "likely not what you intended. Did you mean to use a sigmoid instead?");
  }
  return notes;
}

}  // namespace nntrain::nn
