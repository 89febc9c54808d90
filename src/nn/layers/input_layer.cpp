#include "nn/layers/input_layer.h"

#include <string>

#include "core/call.h"
#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

namespace {

/// In the registry for its arguments; Sequential takes its shape and keeps no such layer.
class Input : public Layer {
 public:
  Shape build(const Shape& input, VariableBuilder&) override { return input; }
  bool is_view() const override { return true; }
  void forward(const BatchContext&, const float*, float*) override {}
  void backward(const BatchContext&, const float*, const float*, float*, float*, GradientTree&) override {}
};

enum class First { kBatch, kSample };

Shape shape_of(const std::string& key, const Json& value, First first) {
  const Json extents = value.is_number_integer() ? Json::array({value}) : value;
  if (!extents.is_array())
    throw InputError(key + " must be a list of whole numbers, got " + format_call(value));
  std::vector<std::int64_t> sample;
  for (std::size_t i = first == First::kBatch ? 1 : 0; i < extents.size(); ++i) {
    if (!extents[i].is_number_integer() || extents[i].get<std::int64_t>() < 1) {
      throw InputError(key + " = " + format_call(value) +
                       " has an extent that is no positive whole number; only the batch may be None");
    }
    sample.push_back(extents[i].get<std::int64_t>());
  }
  return Shape(sample);
}

}  // namespace

bool is_input(const Json& layer) {
  const std::string name = detail::spec_name("layer", layer);
  return name == "Input" || name == "InputLayer";
}

std::optional<Shape> declared_input_shape(const Json& config) {
  if (!config.is_object()) return std::nullopt;
  for (const char* key : {"batch_input_shape", "batch_shape", "shape", "input_shape", "input_dim"}) {
    if (!config.contains(key) || config[key].is_null()) continue;
    const bool with_batch = std::string(key).find("batch") == 0;
    return shape_of(key, config[key], with_batch ? First::kBatch : First::kSample);
  }
  return std::nullopt;
}

Shape input_layer_shape(const Json& spec) {
  const Json canonical = layers().canonical(spec);
  const Json& config = canonical["config"];
  if (config["shape"].is_null() == config["batch_shape"].is_null()) {
    throw InputError(config["shape"].is_null()
                         ? "Input: You must pass a `shape` argument."
                         : "Input: You cannot pass both `shape` and `batch_shape` at the same time.");
  }
  return *declared_input_shape(config);
}

bool is_text_input(const Json& spec) { return layers().canonical(spec)["config"]["dtype"] == "string"; }

namespace {

/// Text, or what the other layers take.
Parameter input_dtype_parameter() {
  Parameter parameter = dtype_parameter();
  parameter.canonical = [numbers = parameter.canonical](const Json& dtype) {
    return dtype == "string" ? dtype : numbers(dtype);
  };
  return parameter;
}

}  // namespace

void add_input(Registry<Layer>& registry) {
  registry.add({"Input",
                {"InputLayer"},
                {{"shape", Kind::kAny, nullptr, false, true},
                 {"batch_size", Kind::kInteger, nullptr, false, true},
                 input_dtype_parameter(),
                 unsupported_parameter("sparse", false),
                 unsupported_parameter("ragged", false),
                 {"batch_shape", Kind::kAny, nullptr, false, true},
                 {"name", Kind::kText, nullptr, false, true},
                 unsupported_parameter("tensor"),
                 unsupported_parameter("optional", false)},
                "the shape of one sample, as the first layer; without it the data decide (keras.Input)"},
               [](const Json&) { return std::make_unique<Input>(); });
}

}  // namespace nntrain::nn
