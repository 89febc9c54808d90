#include "nntrain/nn/activation.h"

#include <algorithm>
#include <type_traits>

#include "nn/elementwise_activations.h"
#include "nn/row_activations.h"

namespace nntrain::nn {

namespace {

/// One pass forward (bias and function) and one backward.
template <class Function>
class Elementwise : public Activation {
 public:
  Needs needs() const override { return Function::kNeedsInput ? Needs::kInput : Needs::kOutput; }
  bool is_linear() const override { return std::is_same_v<Function, Linear>; }

  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) const override {
    for (std::int64_t r = 0; r < rows; ++r) {
      float* x = z + r * columns;
      float* out = y + r * columns;
      if (bias == nullptr) {
        for (std::int64_t c = 0; c < columns; ++c) out[c] = Function::value(x[c]);
      } else if constexpr (Function::kNeedsInput) {
        for (std::int64_t c = 0; c < columns; ++c) {
          x[c] += bias[c];
          out[c] = Function::value(x[c]);
        }
      } else {
        for (std::int64_t c = 0; c < columns; ++c) out[c] = Function::value(x[c] + bias[c]);
      }
    }
  }

  void backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y, const float* dy,
                float* dz) const override {
    if (is_linear()) {
      if (dz != dy) std::copy_n(dy, rows * columns, dz);
      return;
    }
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      dz[i] = dy[i] * Function::slope(Function::kNeedsInput ? z[i] : 0.0F, y[i]);
    }
  }
};

using RowForward = void (*)(std::int64_t, std::int64_t, const float*, float*);
using RowBackward = void (*)(std::int64_t, std::int64_t, const float*, const float*, float*);

template <RowForward kForward, RowBackward kBackward>
class Rowwise : public Activation {
 public:
  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) const override {
    if (bias != nullptr) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) z[r * columns + c] += bias[c];
      }
    }
    kForward(rows, columns, z, y);
  }
  void backward(std::int64_t rows, std::int64_t columns, const float*, const float* y, const float* dy,
                float* dz) const override {
    kBackward(rows, columns, y, dy, dz);
  }
};

class Sparsemax : public Activation {
 public:
  Needs needs() const override { return Needs::kInput; }
  void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) const override {
    if (bias != nullptr) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) z[r * columns + c] += bias[c];
      }
    }
    sparsemax_rows(rows, columns, z, y);
  }
  void backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y, const float* dy, float* dz) const override {
    sparsemax_rows_backward(rows, columns, z, y, dy, dz);
  }
};

template <class Kind>
void add(Registry<Activation>& registry, const std::string& name, std::vector<std::string> aliases, const std::string& formula) {
  registry.add({name, std::move(aliases), {}, formula + " (keras.activations." + name + ")"},
               [](const Json&) { return std::make_unique<Kind>(); });
}

Registry<Activation> make_registry() {
  Registry<Activation> registry("activation");
  add<Elementwise<Linear>>(registry, "linear", {}, "x");
  add<Elementwise<Relu>>(registry, "relu", {"ReLU"}, "max(x, 0)");
  add<Elementwise<Relu6>>(registry, "relu6", {"ReLU6"}, "min(max(x, 0), 6)");
  add<Elementwise<LeakyRelu>>(registry, "leaky_relu", {"LeakyReLU"}, "x, or 0.2 x below 0");
  add<Elementwise<Elu>>(registry, "elu", {"ELU"}, "x, or e^x - 1 below 0");
  add<Elementwise<Elu>>(registry, "celu", {}, "x, or e^x - 1 below 0");
  add<Elementwise<Selu>>(registry, "selu", {}, "scaled elu, Klambauer et al. 2017");
  add<Elementwise<Gelu>>(registry, "gelu", {}, "x Phi(x), Hendrycks and Gimpel 2016");
  add<Elementwise<Silu>>(registry, "silu", {"swish"}, "x sigmoid(x)");
  add<Elementwise<Sigmoid>>(registry, "sigmoid", {}, "1 / (1 + e^-x)");
  add<Elementwise<HardSigmoid>>(registry, "hard_sigmoid", {}, "relu6(x + 3) / 6");
  add<Elementwise<LogSigmoid>>(registry, "log_sigmoid", {}, "log sigmoid(x)");
  add<Elementwise<SparseSigmoid>>(registry, "sparse_sigmoid", {}, "0.5 (x + 1) cut to [0, 1]");
  add<Elementwise<Tanh>>(registry, "tanh", {}, "tanh(x)");
  add<Elementwise<HardTanh>>(registry, "hard_tanh", {}, "x cut to [-1, 1]");
  add<Elementwise<TanhShrink>>(registry, "tanh_shrink", {}, "x - tanh(x)");
  add<Elementwise<Softplus>>(registry, "softplus", {}, "log(1 + e^x)");
  add<Elementwise<Softsign>>(registry, "softsign", {}, "x / (1 + |x|)");
  add<Elementwise<Squareplus>>(registry, "squareplus", {}, "(x + sqrt(x^2 + 4)) / 2");
  add<Elementwise<SparsePlus>>(registry, "sparse_plus", {}, "0, (x + 1)^2 / 4, x");
  add<Elementwise<Exponential>>(registry, "exponential", {}, "e^x");
  add<Elementwise<HardSilu>>(registry, "hard_silu", {"hard_swish"}, "x hard_sigmoid(x)");
  add<Elementwise<Mish>>(registry, "mish", {}, "x tanh(softplus(x)), Misra 2019");
  add<Elementwise<HardShrink>>(registry, "hard_shrink", {}, "x where |x| > 0.5");
  add<Elementwise<SoftShrink>>(registry, "soft_shrink", {}, "x drawn towards 0 by 0.5");
  add<Rowwise<softmax_rows, softmax_rows_backward>>(registry, "softmax", {"Softmax"}, "e^x / sum e^x along the last axis");
  add<Rowwise<log_softmax_rows, log_softmax_rows_backward>>(registry, "log_softmax", {}, "log softmax(x)");
  add<Sparsemax>(registry, "sparsemax", {}, "Martins and Astudillo 2016, with Keras' threshold");
  return registry;
}

}  // namespace

Registry<Activation>& activations() {
  static Registry<Activation> registry = make_registry();
  return registry;
}

}  // namespace nntrain::nn
