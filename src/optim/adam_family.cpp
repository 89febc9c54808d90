// Adam (Kingma and Ba 2014), AdamW (Loshchilov and Hutter 2017), Nadam (Dozat 2016), Adamax, Lion (Chen et
// al. 2023).

#include <cmath>

#include "core/elementary.h"
#include "optim/common_optimizer.h"

namespace nntrain::optim {

namespace {

float power(float base, std::int64_t exponent) {
  return elementary::power(base, static_cast<float>(exponent));
}

class Adam : public CommonOptimizer {
 public:
  explicit Adam(const Json& config)
      : CommonOptimizer(config),
        beta1_(config["beta_1"].get<float>()),
        beta2_(config["beta_2"].get<float>()),
        epsilon_(config["epsilon"].get<float>()),
        amsgrad_(config["amsgrad"].get<bool>()) {}

 protected:
  std::vector<std::string> own_slots() const override {
    return amsgrad_ ? std::vector<std::string>{"m", "v", "v_hat"} : std::vector<std::string>{"m", "v"};
  }
  void update(const Piece& piece, const StepInfo& info, std::int64_t t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict m = piece.s[0];
    float* __restrict v = piece.s[1];
    float* __restrict v_hat = amsgrad_ ? piece.s[2] : nullptr;
    const float alpha = info.learning_rate * std::sqrt(1.0F - power(beta2_, t)) / (1.0F - power(beta1_, t));
    const float take1 = 1.0F - beta1_, take2 = 1.0F - beta2_, epsilon = epsilon_;
    if (v_hat == nullptr) {
      for (std::int64_t i = 0; i < piece.size; ++i) {
        m[i] += (g[i] - m[i]) * take1;
        v[i] += (g[i] * g[i] - v[i]) * take2;
        w[i] -= m[i] * alpha / (std::sqrt(v[i]) + epsilon);
      }
      return;
    }
    for (std::int64_t i = 0; i < piece.size; ++i) {
      m[i] += (g[i] - m[i]) * take1;
      v[i] += (g[i] * g[i] - v[i]) * take2;
      v_hat[i] = v_hat[i] > v[i] ? v_hat[i] : v[i];
      w[i] -= m[i] * alpha / (std::sqrt(v_hat[i]) + epsilon);
    }
  }

 private:
  float beta1_, beta2_, epsilon_;
  bool amsgrad_;
};

class Nadam : public CommonOptimizer {
 public:
  explicit Nadam(const Json& config)
      : CommonOptimizer(config),
        beta1_(config["beta_1"].get<float>()),
        beta2_(config["beta_2"].get<float>()),
        epsilon_(config["epsilon"].get<float>()) {}
  std::vector<double> scalars() const override { return {product_}; }
  void set_scalars(std::span<const double> scalars) override {
    if (!scalars.empty()) product_ = static_cast<float>(scalars[0]);
  }

 protected:
  std::vector<std::string> own_slots() const override { return {"m", "v"}; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t t) override {
    const float u = schedule(t), next = schedule(t + 1);
    const float product = product_ * u, next_product = product * next;
    const float take1 = 1.0F - beta1_, take2 = 1.0F - beta2_;
    const float left = 1.0F - power(beta2_, t);
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict m = piece.s[0];
    float* __restrict v = piece.s[1];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      m[i] += (g[i] - m[i]) * take1;
      v[i] += (g[i] * g[i] - v[i]) * take2;
      const float m_hat = next * m[i] / (1.0F - next_product) + (1.0F - u) * g[i] / (1.0F - product);
      w[i] -= m_hat * info.learning_rate / (std::sqrt(v[i] / left) + epsilon_);
    }
  }
  void advanced(std::int64_t t) override { product_ *= schedule(t); }

 private:
  float schedule(std::int64_t t) const { return beta1_ * (1.0F - 0.5F * power(0.96F, t)); }
  float beta1_, beta2_, epsilon_;
  float product_ = 1.0F;  ///< of schedule(1) .. schedule(t - 1)
};

class Adamax : public CommonOptimizer {
 public:
  explicit Adamax(const Json& config)
      : CommonOptimizer(config),
        beta1_(config["beta_1"].get<float>()),
        beta2_(config["beta_2"].get<float>()),
        epsilon_(config["epsilon"].get<float>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"m", "u"}; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t t) override {
    const float left = 1.0F - power(beta1_, t), take1 = 1.0F - beta1_;
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict m = piece.s[0];
    float* __restrict u = piece.s[1];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      m[i] += (g[i] - m[i]) * take1;
      const float decayed = beta2_ * u[i], size = std::abs(g[i]);
      u[i] = decayed > size ? decayed : size;
      w[i] -= info.learning_rate * m[i] / (left * (u[i] + epsilon_));
    }
  }

 private:
  float beta1_, beta2_, epsilon_;
};

class Lion : public CommonOptimizer {
 public:
  explicit Lion(const Json& config)
      : CommonOptimizer(config),
        beta1_(config["beta_1"].get<float>()),
        beta2_(config["beta_2"].get<float>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"m"}; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict m = piece.s[0];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      const float direction = m[i] * beta1_ + g[i] * (1.0F - beta1_);
      w[i] -= info.learning_rate * (direction > 0 ? 1.0F : (direction < 0 ? -1.0F : 0.0F));
      m[i] = m[i] * beta2_ + g[i] * (1.0F - beta2_);
    }
  }

 private:
  float beta1_, beta2_;
};

}  // namespace

void add_adam_family(Registry<Optimizer>& registry) {
  const Parameter beta1{"beta_1", Kind::kNumber, 0.9}, beta2{"beta_2", Kind::kNumber, 0.999},
      epsilon{"epsilon", Kind::kNumber, 1e-7};
  const Parameter amsgrad{"amsgrad", Kind::kBoolean, false},
      decay{"weight_decay", Kind::kNumber, 0.004, false, true};
  const auto make_adam = [](const Json& config) { return std::make_unique<Adam>(config); };
  registry.add({"Adam",
                {"adam"},
                optimizer_parameters(0.001, {beta1, beta2, epsilon, amsgrad}),
                "Kingma and Ba 2014 (keras.optimizers.Adam)"},
               make_adam);
  registry.add({"AdamW",
                {"adamw", "adam_w"},
                optimizer_parameters(0.001, {decay, beta1, beta2, epsilon, amsgrad}),
                "Adam with decoupled weight decay, Loshchilov and Hutter 2017 (keras.optimizers.AdamW)"},
               make_adam);
  registry.add({"Nadam",
                {"nadam"},
                optimizer_parameters(0.001, {beta1, beta2, epsilon}),
                "Adam with Nesterov momentum, Dozat 2016 (keras.optimizers.Nadam)"},
               [](const Json& config) { return std::make_unique<Nadam>(config); });
  registry.add({"Adamax",
                {"adamax"},
                optimizer_parameters(0.001, {beta1, beta2, epsilon}),
                "Adam by the largest gradient, Kingma and Ba 2014 (keras.optimizers.Adamax)"},
               [](const Json& config) { return std::make_unique<Adamax>(config); });
  registry.add({"Lion",
                {"lion"},
                optimizer_parameters(0.001, {beta1, {"beta_2", Kind::kNumber, 0.99}}),
                "the sign of a momentum, Chen et al. 2023 (keras.optimizers.Lion)"},
               [](const Json& config) { return std::make_unique<Lion>(config); });
}

}  // namespace nntrain::optim
