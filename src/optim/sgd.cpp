#include "core/error.h"
#include "optim/common_optimizer.h"

namespace nntrain::optim {

namespace {

/// keras/src/optimizers/sgd.py: v = m v - lr g; w += v, or w += m v - lr g (nesterov).
class Sgd : public CommonOptimizer {
 public:
  explicit Sgd(const Json& config)
      : CommonOptimizer(config),
        momentum_(config["momentum"].get<float>()),
        nesterov_(config["nesterov"].get<bool>()) {
    if (momentum_ < 0 || momentum_ > 1) throw InputError("`momentum` must be a float between [0, 1].");
  }

 protected:
  std::vector<std::string> own_slots() const override {
    return momentum_ != 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
  }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    const float rate = info.learning_rate, m = momentum_;
    if (m == 0) {
      for (std::int64_t i = 0; i < piece.size; ++i) w[i] -= rate * g[i];
      return;
    }
    float* __restrict v = piece.s[0];
    if (nesterov_) {
      for (std::int64_t i = 0; i < piece.size; ++i) {
        v[i] = m * v[i] - rate * g[i];
        w[i] += m * v[i] - rate * g[i];
      }
    } else {
      for (std::int64_t i = 0; i < piece.size; ++i) {
        v[i] = m * v[i] - rate * g[i];
        w[i] += v[i];
      }
    }
  }

 private:
  float momentum_;
  bool nesterov_;
};

}  // namespace

void add_sgd(Registry<Optimizer>& registry) {
  registry.add(
      {"SGD",
       {"sgd"},
       optimizer_parameters(0.01, {{"momentum", Kind::kNumber, 0.0}, {"nesterov", Kind::kBoolean, false}}),
       "v = m v - lr g; w += v (keras.optimizers.SGD)"},
      [](const Json& config) { return std::make_unique<Sgd>(config); });
}

}  // namespace nntrain::optim
