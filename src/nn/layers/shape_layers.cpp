// Flatten, Reshape and Identity: other names for the same numbers; Permute and RepeatVector move them
// (keras/src/layers/reshaping).

#include <algorithm>

#include "core/call.h"
#include "nn/layers/layer_registry.h"

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
  InputDemand input_demand() const override { return InputDemand::kNoShape; }
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

  InputDemand input_demand() const override { return InputDemand::kShape; }

  Shape build(const Shape& input, VariableBuilder&) override {
    const std::string shapes =
        " Received: input_shape=" + input.to_string() + ", target_shape=" + Shape(target_).to_string();
    std::vector<std::int64_t> extents = target_;
    std::int64_t rest = input.size();  // for the open extent
    std::int64_t* open = nullptr;
    bool divides = true;
    for (std::int64_t& extent : extents) {
      if (extent == -1) {
        if (open != nullptr)
          throw InputError("Reshape: There must be at most one unknown dimension (-1) in target_shape." +
                           shapes);
        open = &extent;
      } else if (extent > 0 && rest % extent == 0) {
        rest /= extent;
      } else {
        divides = false;
      }
    }
    if (open == nullptr && (!divides || rest != 1))
      throw InputError("The total size of the tensor must be unchanged." + shapes);
    if (!divides) {
      throw InputError(
          "The total size of the tensor must be unchanged, however, the input size cannot by divided by the "
          "specified dimensions in target_shape." +
          shapes);
    }
    if (open != nullptr) *open = rest;
    return Shape(extents);
  }

 private:
  std::vector<std::int64_t> target_;
};

/// y[k] = x[sources[k]] of each sample: elements moved or repeated.
class Rearranged : public Layer {
 public:
  bool keeps_values() const override { return true; }
  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::int64_t row = 0; row < context.rows; ++row) {
      for (std::size_t k = 0; k < sources_.size(); ++k) *y++ = x[row * inputs_ + sources_[k]];
    }
  }
  void backward(const BatchContext& context, const float*, const float*, float* dy, float* dx,
                GradientTree&) override {
    if (dx == nullptr) return;
    std::fill_n(dx, context.rows * inputs_, 0.0F);
    for (std::int64_t row = 0; row < context.rows; ++row) {
      for (std::size_t k = 0; k < sources_.size(); ++k) dx[row * inputs_ + sources_[k]] += *dy++;
    }
  }

 protected:
  std::int64_t inputs_ = 0;
  std::vector<std::int64_t> sources_;
};

class Permute : public Rearranged {
 public:
  explicit Permute(const Json& config) {
    const Json& dims = config["dims"];
    for (const Json& dim : dims) order_.push_back(dim.is_number_integer() ? dim.get<std::int64_t>() : 0);
    std::vector<std::int64_t> sorted = order_;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] == static_cast<std::int64_t>(i) + 1) continue;
      throw InputError(
          "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
          "consecutive and "
          "start from 1. Received dims=" +
          format_call(dims));
    }
  }
  Shape build(const Shape& input, VariableBuilder&) override {
    const std::size_t rank = order_.size();
    if (input.rank() != static_cast<std::int64_t>(rank)) {
      throw InputError("layer \"" + name() + "\": dims permutes " + std::to_string(rank) +
                       " axes, the input has shape " + input.with_batch());
    }
    std::vector<std::int64_t> strides(rank, 1), extents(rank), steps(rank);
    for (std::size_t a = rank; a-- > 1;) strides[a - 1] = strides[a] * input[static_cast<std::int64_t>(a)];
    for (std::size_t a = 0; a < rank; ++a) {
      extents[a] = input[order_[a] - 1];
      steps[a] = strides[static_cast<std::size_t>(order_[a] - 1)];
    }
    inputs_ = input.size();
    sources_.resize(static_cast<std::size_t>(inputs_));
    for (std::size_t k = 0; k < sources_.size(); ++k) {
      auto rest = static_cast<std::int64_t>(k);
      for (std::size_t a = rank; a-- > 0; rest /= extents[a]) sources_[k] += rest % extents[a] * steps[a];
    }
    return Shape(extents);
  }

 private:
  std::vector<std::int64_t> order_;  // 1-based, as in Keras
};

class RepeatVector : public Rearranged {
 public:
  explicit RepeatVector(const Json& config) : times_(config["n"].get<std::int64_t>()) {
    if (times_ < 1 || times_ > kMostTimes) {
      throw InputError("RepeatVector: n must be between 1 and " + std::to_string(kMostTimes) + ", got " +
                       std::to_string(times_));
    }
  }
  Shape build(const Shape& input, VariableBuilder&) override {
    if (input.rank() != 1) {
      throw InputError("Input 0 of layer \"" + name() +
                       "\" is incompatible with the layer: expected ndim=2, found ndim=" +
                       std::to_string(input.rank() + 1) + ". Full shape received: " + input.with_batch());
    }
    inputs_ = input.size();
    for (std::int64_t k = 0; k < times_ * inputs_; ++k) sources_.push_back(k % inputs_);
    return Shape{times_, inputs_};
  }

 private:
  static constexpr std::int64_t kMostTimes = 1 << 20;
  std::int64_t times_;
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
  add_layer(registry,
            {"Flatten",
             {"flatten"},
             {data_format_parameter()},
             "all values of a sample along one axis (keras.layers.Flatten)"},
            [](const Json&) { return std::make_unique<Flatten>(); });
  add_layer(registry,
            {"Reshape",
             {"reshape"},
             {{"target_shape", Kind::kList, nullptr, true}},
             "the same values in target_shape, where one extent may be -1 (keras.layers.Reshape)"},
            [](const Json& config) { return std::make_unique<Reshape>(config); });
  add_layer(registry,
            {"Permute",
             {"permute"},
             {{"dims", Kind::kList, nullptr, true}},
             "the axes of a sample in another order, counted from 1 (keras.layers.Permute)"},
            [](const Json& config) { return std::make_unique<Permute>(config); });
  add_layer(registry,
            {"RepeatVector",
             {"repeat_vector"},
             {{"n", Kind::kInteger, nullptr, true}},
             "a vector n times, along a new first axis (keras.layers.RepeatVector)"},
            [](const Json& config) { return std::make_unique<RepeatVector>(config); });
  add_layer(registry, {"Identity", {"identity"}, {}, "x (keras.layers.Identity)"},
            [](const Json&) { return std::make_unique<Identity>(); });
}

}  // namespace nntrain::nn
