#include "nn/activations/activation.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "nn/activations/elementwise_activations.h"
#include "nn/activations/row_activations.h"

namespace nntrain::nn {

namespace {

void add_bias(std::int64_t rows, std::int64_t columns, float* z, const float* bias) {
  if (bias == nullptr) return;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) z[r * columns + c] += bias[c];
  }
}

/// One pass forward (bias and function) and one backward.
template <class Function>
class Elementwise : public Activation {
 public:
  explicit Elementwise(Function function = {}) : function_(function) {}
  Needs needs() const override { return Function::kNeedsInput ? Needs::kInput : Needs::kOutput; }
  bool is_linear() const override { return std::is_same_v<Function, Linear>; }

  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) override {
    const Function f = function_;
    for (std::int64_t r = 0; r < rows; ++r) {
      float* x = z + r * columns;
      float* out = y + r * columns;
      if (bias == nullptr) {
        for (std::int64_t c = 0; c < columns; ++c) out[c] = f.value(x[c]);
      } else if constexpr (Function::kNeedsInput) {
        for (std::int64_t c = 0; c < columns; ++c) {
          x[c] += bias[c];
          out[c] = f.value(x[c]);
        }
      } else {
        for (std::int64_t c = 0; c < columns; ++c) out[c] = f.value(x[c] + bias[c]);
      }
    }
  }

  void backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y, const float* dy,
                float* dz) override {
    if (is_linear()) {
      if (dz != dy) std::copy_n(dy, rows * columns, dz);
      return;
    }
    const Function f = function_;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      dz[i] = dy[i] * f.slope(Function::kNeedsInput ? z[i] : 0.0F, y[i]);
    }
  }

 private:
  Function function_;
};

using RowForward = void (*)(std::int64_t, std::int64_t, const float*, float*);
using RowBackward = void (*)(std::int64_t, std::int64_t, const float*, const float*, float*);

template <RowForward kForward, RowBackward kBackward>
class Rowwise : public Activation {
 public:
  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) override {
    add_bias(rows, columns, z, bias);
    kForward(rows, columns, z, y);
  }
  void backward(std::int64_t rows, std::int64_t columns, const float*, const float* y, const float* dy,
                float* dz) override {
    kBackward(rows, columns, y, dy, dz);
  }
};

class Sparsemax : public Activation {
 public:
  Needs needs() const override { return Needs::kInput; }
  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) override {
    add_bias(rows, columns, z, bias);
    sparsemax_rows(rows, columns, z, y, order_);
  }
  void backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y, const float* dy,
                float* dz) override {
    sparsemax_rows_backward(rows, columns, z, y, dy, dz, order_);
  }

 private:
  std::vector<std::int64_t> order_;  ///< (columns) of a row; it grows once
};

/// a sigmoid(b), with a and b the halves of a row (Dauphin et al. 2016): half as many outputs as inputs.
class Glu : public Activation {
 public:
  Needs needs() const override { return Needs::kInput; }
  std::int64_t output_columns(std::int64_t columns) const override {
    if (columns % 2 != 0) {
      throw InputError("the activation glu halves the last axis, which must be even, not " +
                       std::to_string(columns));
    }
    return columns / 2;
  }
  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) override {
    add_bias(rows, columns, z, bias);
    const std::int64_t half = columns / 2;
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* a = z + r * columns;
      for (std::int64_t c = 0; c < half; ++c) y[r * half + c] = a[c] * fast_sigmoid(a[half + c]);
    }
  }
  void backward(std::int64_t rows, std::int64_t columns, const float* z, const float*, const float* dy,
                float* dz) override {
    const std::int64_t half = columns / 2;
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* a = z + r * columns;
      float* d = dz + r * columns;
      for (std::int64_t c = 0; c < half; ++c) {
        const float gate = fast_sigmoid(a[half + c]), slope = dy[r * half + c];
        d[c] = slope * gate;
        d[half + c] = slope * a[c] * gate * (1.0F - gate);
      }
    }
  }
};

template <class Kind>
void add(Registry<Activation>& registry, const std::string& name, std::vector<std::string> aliases,
         const std::string& formula) {
  registry.add({name, std::move(aliases), {}, formula + " (keras.activations." + name + ")"},
               [](const Json&) { return std::make_unique<Kind>(); });
}

/// `complaint`: Keras' words for a negative value.
float non_negative(const Json& config, const std::string& argument, const std::string& complaint) {
  const float value = config[argument].get<float>();
  if (value >= 0) return value;
  throw InputError(complaint + " Received: " + argument + "=" + config[argument].dump());
}

std::unique_ptr<Activation> make_relu(const Json& config) {
  float highest = std::numeric_limits<float>::infinity();
  if (!config["max_value"].is_null()) {
    highest = non_negative(config, "max_value", "max_value of a ReLU layer cannot be a negative value.");
  }
  const auto positive = [&](const std::string& argument) {
    return non_negative(config, argument, argument + " of a ReLU layer cannot be None or a negative value.");
  };
  const float slope = positive("negative_slope"), threshold = positive("threshold");
  if (slope == 0 && threshold == 0 && config["max_value"].is_null())
    return std::make_unique<Elementwise<Relu>>();
  return std::make_unique<Elementwise<GeneralRelu>>(GeneralRelu{slope, highest, threshold});
}

std::unique_ptr<Activation> make_leaky_relu(const Json& config) {
  const float slope =
      non_negative(config, "negative_slope",
                   "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. "
                   "Expected a float.");
  if (slope == LeakyRelu::kSlope) return std::make_unique<Elementwise<LeakyRelu>>();
  return std::make_unique<Elementwise<GeneralRelu>>(
      GeneralRelu{slope, std::numeric_limits<float>::infinity(), 0.0F});
}

std::unique_ptr<Activation> make_elu(const Json& config) {
  const auto alpha = config["alpha"].get<float>();
  if (alpha == 1) return std::make_unique<Elementwise<Elu>>();
  return std::make_unique<Elementwise<GeneralElu>>(GeneralElu{alpha});
}

/// Class names are Keras' layers: what Keras files hold where a layer was given as an activation.
void add_functions_with_arguments(Registry<Activation>& registry) {
  const Parameter slope{"negative_slope", Kind::kNumber, 0.0},
      limit{"max_value", Kind::kNumber, nullptr, false, true}, threshold{"threshold", Kind::kNumber, 0.0},
      alpha{"alpha", Kind::kNumber, 1.0};
  const std::string relu = "x, max_value above it, negative_slope (x - threshold) below threshold",
                    leaky = "x, or negative_slope x below 0", elu = "x, or alpha (e^x - 1) below 0";
  registry.add({"relu", {}, {slope, limit, threshold}, relu + " (keras.activations.relu)"}, make_relu);
  registry.add(
      {"leaky_relu", {}, {{"negative_slope", Kind::kNumber, 0.2}}, leaky + " (keras.activations.leaky_relu)"},
      make_leaky_relu);
  registry.add({"elu", {}, {alpha}, elu + " (keras.activations.elu)"}, make_elu);
  registry.add({"ReLU", {}, {limit, slope, threshold}, relu + " (keras.layers.ReLU)"}, make_relu);
  registry.add(
      {"LeakyReLU", {}, {{"negative_slope", Kind::kNumber, 0.3}}, leaky + " (keras.layers.LeakyReLU)"},
      make_leaky_relu);
  registry.add({"ELU", {}, {alpha}, elu + " (keras.layers.ELU)"}, make_elu);
}

Registry<Activation> make_registry() {
  Registry<Activation> registry("activation");
  add<Elementwise<Linear>>(registry, "linear", {}, "x");
  add_functions_with_arguments(registry);
  add<Elementwise<Relu6>>(registry, "relu6", {}, "min(max(x, 0), 6)");
  add<Elementwise<Elu>>(registry, "celu", {}, "x, or e^x - 1 below 0");
  add<Elementwise<Selu>>(registry, "selu", {}, "scaled elu, Klambauer et al. 2017");
  add<Elementwise<Gelu>>(registry, "gelu", {}, "x Phi(x), exact, Hendrycks and Gimpel 2016");
  add<Elementwise<Silu>>(registry, "silu", {"swish"}, "x sigmoid(x)");
  add<Elementwise<Sigmoid>>(registry, "sigmoid", {}, "1 / (1 + e^-x)");
  add<Elementwise<HardSigmoid>>(registry, "hard_sigmoid", {}, "relu6(x + 3) / 6");
  add<Elementwise<LogSigmoid>>(registry, "log_sigmoid", {}, "log sigmoid(x)");
  add<Elementwise<SparseSigmoid>>(registry, "sparse_sigmoid", {}, "0.5 (x + 1) cut to [0, 1]");
  add<Elementwise<Tanh>>(registry, "tanh", {}, "tanh(x)");
  add<Elementwise<HardTanh>>(registry, "hard_tanh", {}, "x cut to [-1, 1]");
  add<Elementwise<TanhShrink>>(registry, "tanh_shrink", {}, "x - tanh(x)");
  add<Elementwise<Softplus>>(registry, "softplus", {}, "log(1 + e^x)");
  add<Elementwise<Softsign>>(registry, "softsign", {}, "x / (1 + abs(x))");
  add<Elementwise<Squareplus>>(registry, "squareplus", {}, "(x + sqrt(x^2 + 4)) / 2");
  add<Elementwise<SparsePlus>>(registry, "sparse_plus", {}, "0 up to -1, (x + 1)^2 / 4, x from 1 on");
  add<Elementwise<Exponential>>(registry, "exponential", {}, "e^x");
  add<Elementwise<HardSilu>>(registry, "hard_silu", {"hard_swish"}, "x hard_sigmoid(x)");
  add<Elementwise<Mish>>(registry, "mish", {}, "x tanh(softplus(x)), Misra 2019");
  add<Elementwise<HardShrink>>(registry, "hard_shrink", {}, "x where abs(x) > 0.5, else 0");
  add<Elementwise<SoftShrink>>(registry, "soft_shrink", {}, "x drawn towards 0 by 0.5");
  add<Rowwise<softmax_rows, softmax_rows_backward>>(registry, "softmax", {"Softmax"},
                                                    "e^x / sum e^x along the last axis");
  add<Rowwise<log_softmax_rows, log_softmax_rows_backward>>(registry, "log_softmax", {}, "log softmax(x)");
  add<Sparsemax>(registry, "sparsemax", {}, "Martins and Astudillo 2016, with Keras' threshold");
  add<Glu>(
      registry, "glu", {},
      "a sigmoid(b) of the halves of the last axis, which it halves; in Keras only the last layer may do so");
  registry.refuse(
      {"threshold"},
      "its two arguments have no defaults, and a Keras file keeps an activation by its name alone; "
      "ReLU(threshold=0.5) is threshold(0.5, 0)");
  registry.refuse({"PReLU"}, "it has weights: make it a layer of its own");
  return registry;
}

}  // namespace

Registry<Activation>& activations() {
  static Registry<Activation> registry = make_registry();
  return registry;
}

}  // namespace nntrain::nn
