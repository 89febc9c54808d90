// Flatten, Reshape and Identity: other names for the same numbers (keras/src/layers/reshaping).

#include "nn/layer_registry.h"
#include "nntrain/core/call.h"

namespace nntrain::nn {

namespace {

class View : public Layer {
 public:
  bool is_view() const override { return true; }
  void forward(const BatchContext&, const float*, float*) override {}
  void backward(const BatchContext&, const float*, const float*, float*, float*, GradientTree&) override {}
};

class Flatten : public View {
 public:
  Shape build(const Shape& input, VariableBuilder&) override { return Shape{input.size()}; }
};

class Identity : public View {
 public:
  Shape build(const Shape& input, VariableBuilder&) override { return input; }
};

class Reshape : public View {
 public:
  explicit Reshape(const Json& config) {
    for (const Json& extent : config["target_shape"]) {
      if (!extent.is_number_integer() || extent.get<std::int64_t>() < -1) {
        throw InputError("Reshape: target_shape must be whole numbers, one of them may be -1");
      }
      target_.push_back(extent.get<std::int64_t>());
    }
  }

  Shape build(const Shape& input, VariableBuilder&) override {
    const std::string shapes = " Received: input_shape=" + input.to_string() + ", target_shape=" + Shape(target_).to_string();
    std::vector<std::int64_t> extents = target_;
    std::int64_t rest = input.size();  // for the open extent
    std::int64_t* open = nullptr;
    bool divides = true;
    for (std::int64_t& extent : extents) {
      if (extent == -1) {
        if (open != nullptr) throw InputError("Reshape: There must be at most one unknown dimension (-1) in target_shape." + shapes);
        open = &extent;
      } else if (extent > 0 && rest % extent == 0) {
        rest /= extent;
      } else {
        divides = false;
      }
    }
    if (open == nullptr && (!divides || rest != 1)) throw InputError("The total size of the tensor must be unchanged." + shapes);
    if (!divides) {
      throw InputError("The total size of the tensor must be unchanged, however, the input size cannot by divided by the "
                       "specified dimensions in target_shape." + shapes);
    }
    if (open != nullptr) *open = rest;
    return Shape(extents);
  }

 private:
  std::vector<std::int64_t> target_;
};

/// None or "channels_last"; "channels_first" would reorder the values.
Parameter data_format_parameter() {
  return {"data_format", Kind::kObject, nullptr, false, true, [](const Json& value) -> Json {
            if (value.is_null() || value == "channels_last") return nullptr;
            throw InputError("only \"channels_last\" is supported, got " + format_call(value));
          }};
}

}  // namespace

void add_shape_layers(Registry<Layer>& registry) {
  add_layer(registry, {"Flatten", {"flatten"}, {data_format_parameter()}, "all values of a sample along one axis (keras.layers.Flatten)"},
            [](const Json&) { return std::make_unique<Flatten>(); });
  add_layer(registry, {"Reshape", {"reshape"}, {{"target_shape", Kind::kList, nullptr, true}}, "the same values in target_shape, where one extent may be -1 (keras.layers.Reshape)"},
            [](const Json& config) { return std::make_unique<Reshape>(config); });
  add_layer(registry, {"Identity", {"identity"}, {}, "x (keras.layers.Identity)"},
            [](const Json&) { return std::make_unique<Identity>(); });
}

}  // namespace nntrain::nn
