// RMSprop (Tieleman and Hinton 2012), Adagrad (Duchi et al. 2011), Adadelta (Zeiler 2012), Ftrl (McMahan et
// al. 2013), Adafactor (Shazeer and Stern 2018).

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/elementary.h"
#include "optim/common_optimizer.h"

namespace nntrain::optim {

namespace {

class RmsProp : public CommonOptimizer {
 public:
  explicit RmsProp(const Json& config)
      : CommonOptimizer(config),
        rho_(config["rho"].get<float>()),
        momentum_(config["momentum"].get<float>()),
        epsilon_(config["epsilon"].get<float>()),
        centered_(config["centered"].get<bool>()) {}

 protected:
  std::vector<std::string> own_slots() const override {
    std::vector<std::string> names = {"velocity"};
    if (momentum_ > 0) names.push_back("momentum");
    if (centered_) names.push_back("average");
    return names;
  }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict v = piece.s[0];
    float* momentum = momentum_ > 0 ? piece.s[1] : nullptr;
    float* mean = centered_ ? piece.s[momentum_ > 0 ? 2 : 1] : nullptr;
    const float take = 1.0F - rho_;
    for (std::int64_t i = 0; i < piece.size; ++i) {
      v[i] = rho_ * v[i] + take * (g[i] * g[i]);
      float spread = v[i] + epsilon_;
      if (mean != nullptr) {
        mean[i] = rho_ * mean[i] + take * g[i];
        spread = v[i] - mean[i] * mean[i] + epsilon_;
      }
      float increment = info.learning_rate * g[i] / std::sqrt(spread);
      if (momentum != nullptr) increment = momentum[i] = momentum_ * momentum[i] + increment;
      w[i] -= increment;
    }
  }

 private:
  float rho_, momentum_, epsilon_;
  bool centered_;
};

class Adagrad : public CommonOptimizer {
 public:
  explicit Adagrad(const Json& config)
      : CommonOptimizer(config),
        start_(config["initial_accumulator_value"].get<float>()),
        epsilon_(config["epsilon"].get<float>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"sum"}; }
  float own_slot_start(int) const override { return start_; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict sum = piece.s[0];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      sum[i] += g[i] * g[i];
      w[i] -= info.learning_rate * g[i] / std::sqrt(sum[i] + epsilon_);
    }
  }

 private:
  float start_, epsilon_;
};

class Adadelta : public CommonOptimizer {
 public:
  explicit Adadelta(const Json& config)
      : CommonOptimizer(config), rho_(config["rho"].get<float>()), epsilon_(config["epsilon"].get<float>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"gradients", "updates"}; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict squares = piece.s[0];
    float* __restrict updates = piece.s[1];
    const float take = 1.0F - rho_;
    for (std::int64_t i = 0; i < piece.size; ++i) {
      squares[i] = rho_ * squares[i] + take * (g[i] * g[i]);
      const float change = -(std::sqrt(updates[i] + epsilon_) * g[i] / std::sqrt(squares[i] + epsilon_));
      updates[i] = rho_ * updates[i] + take * (change * change);
      w[i] += info.learning_rate * change;
    }
  }

 private:
  float rho_, epsilon_;
};

class Ftrl : public CommonOptimizer {
 public:
  explicit Ftrl(const Json& config)
      : CommonOptimizer(config),
        power_(config["learning_rate_power"].get<float>()),
        start_(config["initial_accumulator_value"].get<float>()),
        l1_(config["l1_regularization_strength"].get<float>()),
        l2_(config["l2_regularization_strength"].get<float>()),
        shrinkage_(config["l2_shrinkage_regularization_strength"].get<float>()),
        beta_(config["beta"].get<float>()) {}

 protected:
  std::vector<std::string> own_slots() const override { return {"accumulator_of_squares", "linear"}; }
  float own_slot_start(int slot) const override { return slot == 0 ? start_ : 0.0F; }
  void update(const Piece& piece, const StepInfo& info, std::int64_t) override {
    if (power_ == -0.5F) {  // the default, and a loop of vectors
      step(piece, info.learning_rate, [](float sum) { return std::sqrt(sum); });
    } else {
      step(piece, info.learning_rate, elementary::Power(-power_));
    }
  }

 private:
  template <class Power>
  void step(const Piece& piece, float rate, Power power) const {
    const float l1 = l1_, l2 = l2_ + beta_ / (2.0F * rate), shrinkage = shrinkage_;
    float* __restrict w = piece.w;
    const float* __restrict g = piece.g;
    float* __restrict sums = piece.s[0];
    float* __restrict linears = piece.s[1];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      const float used = g[i] + 2.0F * shrinkage * w[i];
      const float new_sum = sums[i] + g[i] * g[i];
      const float new_power = power(new_sum);
      const float linear = linears[i] + (used - (new_power - power(sums[i])) / rate * w[i]);
      const float quadratic = new_power / rate + 2.0F * l2;
      const float clipped = std::min(std::max(linear, -l1), l1);
      linears[i] = linear;
      w[i] = (clipped - linear) / quadratic;
      sums[i] = new_sum;
    }
  }

  float power_, start_, l1_, l2_, shrinkage_, beta_;
};

/// Factored second moments: slots "rows" and "columns" use the first elements of the variable's extent.
class Adafactor : public CommonOptimizer {
 public:
  explicit Adafactor(const Json& config)
      : CommonOptimizer(config),
        decay_(config["beta_2_decay"].get<float>()),
        epsilon1_(config["epsilon_1"].get<float>()),
        epsilon2_(config["epsilon_2"].get<float>()),
        threshold_(config["clip_threshold"].get<float>()),
        relative_(config["relative_step"].get<bool>()) {}
  bool whole_variables() const override { return true; }

 protected:
  std::vector<std::string> own_slots() const override { return {"rows", "columns", "v"}; }

  void update(const Piece& piece, const StepInfo& info, std::int64_t t) override {
    const auto step = static_cast<float>(t);
    float rate = info.learning_rate;
    if (!has_schedule() && relative_) rate = std::min(rate, 1.0F / std::sqrt(step));
    const float rho = std::min(rate, 1.0F / std::sqrt(step));
    const float alpha = std::max(epsilon2_, root_mean_square(piece.w, piece.size)) * rho;
    const float keep = 1.0F - elementary::power(step, decay_);
    second_moments(piece, keep);
    float* v = piece.s[2];
    double squares = 0;
    for (std::int64_t i = 0; i < piece.size; ++i) {
      piece.g[i] /= std::sqrt(v[i]);
      squares += static_cast<double>(piece.g[i]) * piece.g[i];
    }
    const auto rms = static_cast<float>(std::sqrt(squares / static_cast<double>(piece.size)));
    const float shrink = std::max(1.0F, rms / threshold_);
    for (std::int64_t i = 0; i < piece.size; ++i) piece.w[i] -= alpha * (piece.g[i] / shrink);
  }

 private:
  static float root_mean_square(const float* x, std::int64_t count) {
    double squares = 0;
    for (std::int64_t i = 0; i < count; ++i) squares += static_cast<double>(x[i]) * x[i];
    return static_cast<float>(std::sqrt(squares / static_cast<double>(count)));
  }

  void second_moments(const Piece& piece, float keep) const {
    float* v = piece.s[2];
    const Shape& shape = *piece.segment->shape;
    const auto squared = [&](std::int64_t i) { return piece.g[i] * piece.g[i] + epsilon1_; };
    if (shape.rank() < 2) {
      for (std::int64_t i = 0; i < piece.size; ++i) v[i] = keep * v[i] + (1.0F - keep) * squared(i);
      return;
    }
    const std::int64_t columns = shape.last(), rows = shape[shape.rank() - 2],
                       matrices = piece.size / (rows * columns);
    for (std::int64_t k = 0; k < matrices; ++k) {
      float* r = piece.s[0] + k * rows;
      float* c = piece.s[1] + k * columns;
      const std::int64_t base = k * rows * columns;
      double mean_r = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        double sum = 0;
        for (std::int64_t j = 0; j < columns; ++j) sum += squared(base + i * columns + j);
        r[i] = keep * r[i] + (1.0F - keep) * static_cast<float>(sum / static_cast<double>(columns));
        mean_r += r[i];
      }
      for (std::int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i) sum += squared(base + i * columns + j);
        c[j] = keep * c[j] + (1.0F - keep) * static_cast<float>(sum / static_cast<double>(rows));
      }
      const auto mean = static_cast<float>(mean_r / static_cast<double>(rows));
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) v[base + i * columns + j] = r[i] / mean * c[j];
      }
    }
  }

  float decay_, epsilon1_, epsilon2_, threshold_;
  bool relative_;
};

template <class Kind_>
void add(Registry<Optimizer>& registry, const std::string& name, const std::string& alias,
         std::vector<Parameter> own, const std::string& source) {
  registry.add({name,
                {alias},
                optimizer_parameters(0.001, std::move(own)),
                source + " (keras.optimizers." + name + ")"},
               [](const Json& config) { return std::make_unique<Kind_>(config); });
}

}  // namespace

void add_adaptive_family(Registry<Optimizer>& registry) {
  const Parameter epsilon{"epsilon", Kind::kNumber, 1e-7},
      start{"initial_accumulator_value", Kind::kNumber, 0.1};
  add<RmsProp>(registry, "RMSprop", "rmsprop",
               {{"rho", Kind::kNumber, 0.9},
                {"momentum", Kind::kNumber, 0.0},
                epsilon,
                {"centered", Kind::kBoolean, false}},
               "by the root of a running mean of squares, Tieleman and Hinton 2012");
  add<Adagrad>(registry, "Adagrad", "adagrad", {start, epsilon},
               "by the root of the sum of squares, Duchi et al. 2011");
  add<Adadelta>(registry, "Adadelta", "adadelta", {{"rho", Kind::kNumber, 0.95}, epsilon}, "Zeiler 2012");
  add<Ftrl>(registry, "Ftrl", "ftrl",
            {{"learning_rate_power", Kind::kNumber, -0.5},
             start,
             {"l1_regularization_strength", Kind::kNumber, 0.0},
             {"l2_regularization_strength", Kind::kNumber, 0.0},
             {"l2_shrinkage_regularization_strength", Kind::kNumber, 0.0},
             {"beta", Kind::kNumber, 0.0}},
            "follow the regularized leader, McMahan et al. 2013");
  add<Adafactor>(registry, "Adafactor", "adafactor",
                 {{"beta_2_decay", Kind::kNumber, -0.8},
                  {"epsilon_1", Kind::kNumber, 1e-30},
                  {"epsilon_2", Kind::kNumber, 1e-3},
                  {"clip_threshold", Kind::kNumber, 1.0},
                  {"relative_step", Kind::kBoolean, true}},
                 "factored second moments, Shazeer and Stern 2018");
}

}  // namespace nntrain::optim
