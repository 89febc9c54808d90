#pragma once
// The elementwise functions of keras/src/activations/activations.py: value(x), and the slope from what
// backward keeps: y alone, or x and y where kNeedsInput. No library calls: the compiler turns all of them
// into vector loops.

#include <cmath>

#include "nn/activations/vector_math.h"

namespace nntrain::nn {

struct Linear {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x; }
  static float slope(float, float) { return 1.0F; }
};
struct Relu {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x < 0 ? 0.0F : x; }
  static float slope(float, float y) { return y > 0 ? 1.0F : 0.0F; }
};
struct Relu6 {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x < 0 ? 0.0F : (x > 6.0F ? 6.0F : x); }
  static float slope(float, float y) { return y > 0 && y < 6.0F ? 1.0F : 0.0F; }
};
struct LeakyRelu {
  static constexpr bool kNeedsInput = false;
  static constexpr float kSlope = 0.2F;
  static float value(float x) { return x < 0 ? kSlope * x : x; }
  static float slope(float, float y) { return y > 0 ? 1.0F : kSlope; }
};
struct Elu {  // alpha = 1; celu with alpha = 1 is the same function
  static constexpr bool kNeedsInput = false;
  static float value(float x) {
    const float below = fast_expm1(x);
    return x > 0 ? x : below;
  }
  static float slope(float, float y) { return y > 0 ? 1.0F : y + 1.0F; }
};
struct Selu {  // Klambauer et al. 2017
  static constexpr bool kNeedsInput = false;
  static constexpr float kScale = 1.05070098735548F, kAlpha = 1.67326324235437F;
  static float value(float x) {
    const float below = kAlpha * fast_expm1(x);
    return kScale * (x > 0 ? x : below);
  }
  static float slope(float, float y) { return y > 0 ? kScale : y + kScale * kAlpha; }
};
struct Gelu {  // Hendrycks and Gimpel 2016, exact form
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x * standard_normal(x).distribution; }
  static float slope(float x, float) {
    const NormalPoint normal = standard_normal(x);
    return normal.distribution + x * normal.density;
  }
};
struct Silu {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x * fast_sigmoid(x); }
  static float slope(float x, float) {
    const float s = fast_sigmoid(x);
    return s * (1.0F + x * (1.0F - s));
  }
};
struct Sigmoid {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return fast_sigmoid(x); }
  static float slope(float, float y) { return y * (1.0F - y); }
};
struct HardSigmoid {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return Relu6::value(x + 3.0F) / 6.0F; }
  static float slope(float, float y) { return y > 0 && y < 1.0F ? 1.0F / 6.0F : 0.0F; }
};
struct LogSigmoid {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return -softplus(-x); }
  static float slope(float x, float) { return fast_sigmoid(-x); }
};
struct SparseSigmoid {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x <= -1.0F ? 0.0F : (x >= 1.0F ? 1.0F : 0.5F * (x + 1.0F)); }
  static float slope(float, float y) { return y > 0 && y < 1.0F ? 0.5F : 0.0F; }
};
struct Tanh {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return fast_tanh(x); }
  static float slope(float, float y) { return 1.0F - y * y; }
};
struct HardTanh {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x < -1.0F ? -1.0F : (x > 1.0F ? 1.0F : x); }
  static float slope(float, float y) { return y > -1.0F && y < 1.0F ? 1.0F : 0.0F; }
};
struct TanhShrink {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x - fast_tanh(x); }
  static float slope(float x, float) {
    const float t = fast_tanh(x);
    return t * t;
  }
};
struct Softplus {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return softplus(x); }
  static float slope(float x, float) { return fast_sigmoid(x); }
};
struct Softsign {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x / (1.0F + std::abs(x)); }
  static float slope(float, float y) {
    const float rest = 1.0F - std::abs(y);
    return rest * rest;
  }
};
struct Squareplus {  // b = 4
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return (x + std::sqrt(x * x + 4.0F)) / 2.0F; }
  static float slope(float x, float) { return (1.0F + x / std::sqrt(x * x + 4.0F)) / 2.0F; }
};
struct SparsePlus {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x <= -1.0F ? 0.0F : (x < 1.0F ? 0.25F * (x + 1.0F) * (x + 1.0F) : x); }
  static float slope(float x, float) { return x <= -1.0F ? 0.0F : (x < 1.0F ? 0.5F * (x + 1.0F) : 1.0F); }
};
struct Exponential {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return fast_exp(x); }
  static float slope(float, float y) { return y; }
};
struct HardSilu {
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x * HardSigmoid::value(x); }
  static float slope(float x, float) {
    const float h = HardSigmoid::value(x);
    return h + (h > 0 && h < 1.0F ? x / 6.0F : 0.0F);
  }
};
struct Mish {  // Misra 2019
  static constexpr bool kNeedsInput = true;
  static float value(float x) { return x * tanh_softplus(x); }
  static float slope(float x, float) {
    const float t = tanh_softplus(x);
    return t + x * (1.0F - t * t) * fast_sigmoid(x);
  }
};
struct HardShrink {  // threshold 0.5
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return std::abs(x) > 0.5F ? x : 0.0F; }
  static float slope(float, float y) { return y != 0 ? 1.0F : 0.0F; }
};
struct SoftShrink {
  static constexpr bool kNeedsInput = false;
  static float value(float x) { return x > 0.5F ? x - 0.5F : (x < -0.5F ? x + 0.5F : 0.0F); }
  static float slope(float, float y) { return y != 0 ? 1.0F : 0.0F; }
};

// Functions with arguments: keras.layers.ReLU, LeakyReLU and ELU, as layers and as
// `activation=LeakyReLU(0.1)`.

struct GeneralRelu {
  static constexpr bool kNeedsInput = true;
  float slope_below, highest, threshold;
  float value(float x) const {
    return x >= highest ? highest : (x > threshold ? x : slope_below * (x - threshold));
  }
  float slope(float x, float) const { return x >= highest ? 0.0F : (x > threshold ? 1.0F : slope_below); }
};
struct GeneralElu {
  static constexpr bool kNeedsInput = true;
  float alpha;
  float value(float x) const {
    const float below = alpha * fast_expm1(x);
    return x > 0 ? x : below;
  }
  float slope(float x, float y) const { return x > 0 ? 1.0F : y + alpha; }
};

}  // namespace nntrain::nn
