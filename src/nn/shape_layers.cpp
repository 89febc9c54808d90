// Flatten, Reshape and Identity: other names for the same numbers (keras/src/layers/reshaping).

#include "nn/layer_registry.h"

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
    std::vector<std::int64_t> extents = target_;
    std::int64_t known = 1;
    std::int64_t* open = nullptr;
    for (std::int64_t& extent : extents) {
      if (extent != -1) {
        known *= extent;
      } else if (open == nullptr) {
        open = &extent;
      } else {
        throw InputError("Reshape: There must be at most one unknown dimension (-1) in target_shape");
      }
    }
    if (open != nullptr && known > 0 && input.size() % known == 0) *open = input.size() / known;
    Shape output(extents);
    if ((open != nullptr && *open == -1) || output.size() != input.size()) {
      throw InputError("The total size of the tensor must be unchanged. Received: input_shape=" + input.to_string() +
                       ", target_shape=" + Shape(target_).to_string());
    }
    return output;
  }

 private:
  std::vector<std::int64_t> target_;
};

}  // namespace

void add_shape_layers(Registry<Layer>& registry) {
  add_layer(registry, {"Flatten", {"flatten"}, {unsupported_parameter("data_format", "channels_last")}, "one axis of all values (keras.layers.Flatten)"},
            [](const Json&) { return std::make_unique<Flatten>(); });
  add_layer(registry, {"Reshape", {"reshape"}, {{"target_shape", Kind::kList, nullptr, true}}, "other axes for the same values (keras.layers.Reshape)"},
            [](const Json& config) { return std::make_unique<Reshape>(config); });
  add_layer(registry, {"Identity", {"identity"}, {}, "nothing (keras.layers.Identity)"},
            [](const Json&) { return std::make_unique<Identity>(); });
}

}  // namespace nntrain::nn
