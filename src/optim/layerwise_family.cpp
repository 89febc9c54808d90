// Rates by layer, for large mini-batches: LARS (You, Gitman, Ginsburg 2017, arXiv 1708.03888) and LAMB (You
// et al. 2019, arXiv 1904.00962; keras/src/optimizers/lamb.py).

#include <cmath>

#include "core/elementary.h"
#include "core/error.h"
#include "optim/common_optimizer.h"

namespace nntrain::optim {

namespace {

/// Both read the norms of whole variables: |w|, and |u| of what direct() leaves in the gradients.
class Layerwise : public CommonOptimizer {
 public:
  explicit Layerwise(const Json& config) : CommonOptimizer(config) {
    if (clips_by_norm() && options_.gradient_accumulation_steps > 0) {
      throw InputError(
          "clipnorm and global_clipnorm are not supported together with gradient_accumulation_steps in LARS "
          "and LAMB");
    }
  }
  NormRequest norms() const override { return {clips_by_norm(), true, true}; }

  /// Leaves the clipped gradients.
  void direct(Slice& slice, const StepInfo& info) override {
    accumulate(slice, info);
    if (is_update(info)) clip(slice, info.norms.gradient);
  }

 protected:
  bool clips_in_step() const override { return false; }
  bool clips_by_norm() const { return options_.clipnorm > 0 || options_.global_clipnorm > 0; }
  static double norm(std::span<const double> squares, const Piece& piece) {
    return std::sqrt(squares[static_cast<std::size_t>(piece.segment->variable)]);
  }
};

/// v = m v + lr * ratio * (g + wd w); w -= v, ratio = trust |w| / (|g| + wd |w|).
class Lars : public Layerwise {
 public:
  explicit Lars(const Json& config)
      : Layerwise(config),
        momentum_(config["momentum"].get<float>()),
        trust_(config["trust_coefficient"].get<double>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"momentum"}; }
  bool decays_decoupled() const override { return false; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    const double w_norm = norm(info.norms.value, piece), g_norm = norm(info.norms.update, piece),
                 decay = options_.weight_decay;
    const double ratio = w_norm > 0 && g_norm > 0 ? trust_ * w_norm / (g_norm + decay * w_norm) : 1.0;
    const auto rate = static_cast<float>(info.learning_rate * ratio);
    for (std::int64_t i = 0; i < piece.size; ++i) {
      float& v = piece.s[0][i];
      v = momentum_ * v + rate * (piece.g[i] + static_cast<float>(decay) * piece.w[i]);
      piece.w[i] -= v;
    }
  }

 private:
  float momentum_;
  double trust_;
};

class Lamb : public Layerwise {
 public:
  explicit Lamb(const Json& config)
      : Layerwise(config),
        beta1_(config["beta_1"].get<float>()),
        beta2_(config["beta_2"].get<float>()),
        epsilon_(config["epsilon"].get<float>()) {}

  /// Leaves Adam's direction in the gradients.
  void direct(Slice& slice, const StepInfo& info) override {
    Layerwise::direct(slice, info);
    if (!is_update(info)) return;
    const auto t = static_cast<float>(updates(info) + 1);
    const float left1 = 1.0F - elementary::power(beta1_, t), left2 = 1.0F - elementary::power(beta2_, t);
    for_pieces(slice, [&](const Piece& piece) {
      for (std::int64_t i = 0; i < piece.size; ++i) {
        float& m = piece.s[0][i];
        float& v = piece.s[1][i];
        const float g = piece.g[i];
        m += (g - m) * (1.0F - beta1_);
        v += (g * g - v) * (1.0F - beta2_);
        piece.g[i] = m / left1 / (std::sqrt(v / left2) + epsilon_);
      }
    });
  }

 protected:
  std::vector<std::string> own_slots() const override { return {"m", "v"}; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    // Keras decays the weights before it takes their norm: |w - w wd lr| = |w| (1 - wd lr).
    const double kept = std::abs(1.0 - options_.weight_decay * static_cast<double>(info.learning_rate));
    const double w_norm = norm(info.norms.value, piece) * kept, u_norm = norm(info.norms.update, piece);
    const auto ratio = static_cast<float>(w_norm > 0 && u_norm > 0 ? w_norm / u_norm : 1.0);
    for (std::int64_t i = 0; i < piece.size; ++i) piece.w[i] -= ratio * info.learning_rate * piece.g[i];
  }

 private:
  float beta1_, beta2_, epsilon_;
};

}  // namespace

void add_layerwise_family(Registry<Optimizer>& registry) {
  registry.add({"LARS",
                {"lars"},
                optimizer_parameters(
                    0.01, {{"momentum", Kind::kNumber, 0.9}, {"trust_coefficient", Kind::kNumber, 0.001}}),
                "layer-wise adaptive rate scaling, You et al. 2017 (not in Keras); weight_decay is the "
                "paper's, inside the ratio"},
               [](const Json& config) { return std::make_unique<Lars>(config); });
  registry.add({"LAMB",
                {"lamb", "Lamb"},
                optimizer_parameters(0.001, {{"beta_1", Kind::kNumber, 0.9},
                                             {"beta_2", Kind::kNumber, 0.999},
                                             {"epsilon", Kind::kNumber, 1e-7}}),
                "layer-wise Adam, You et al. 2019 (keras.optimizers.Lamb)"},
               [](const Json& config) { return std::make_unique<Lamb>(config); });
}

}  // namespace nntrain::optim
