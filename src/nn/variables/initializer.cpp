#include "nn/variables/initializer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/random.h"
#include "nn/variables/orthogonal.h"
#include "nn/variables/seed.h"

namespace nntrain::nn {

namespace {

enum class Distribution { kUniform, kTruncatedNormal, kNormal };

/// Draws of one variable: the initializer's own seed when it has one, as in Keras; else the run's.
RandomStream stream_of(const Json& config, std::uint64_t seed, std::uint32_t variable_index) {
  const std::optional<std::uint64_t> own = seed_of(config);
  return {own.value_or(seed), Purpose::kInitializer, own ? 0 : variable_index};
}

void draw(Distribution distribution, const RandomStream& stream, double center, double spread,
          std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    double value = 0;
    switch (distribution) {
      case Distribution::kUniform:
        value = (2.0 * stream.uniform(0, i) - 1.0) * spread;
        break;
      case Distribution::kTruncatedNormal:
        value = stream.truncated_normal(0, i) * spread;
        break;
      case Distribution::kNormal:
        value = stream.normal(0, i) * spread;
        break;
    }
    values[i] = static_cast<float>(center + value);
  }
}

class Filled : public Initializer {
 public:
  explicit Filled(float value) : value_(value) {}
  void fill(const Shape&, std::uint64_t, std::uint32_t, std::span<float> values) const override {
    std::fill(values.begin(), values.end(), value_);
  }

 private:
  float value_;
};

/// RandomNormal, RandomUniform, TruncatedNormal.
class Random : public Initializer {
 public:
  Random(Json config, Distribution distribution, double center, double spread)
      : config_(std::move(config)), distribution_(distribution), center_(center), spread_(spread) {}
  void fill(const Shape&, std::uint64_t seed, std::uint32_t variable_index,
            std::span<float> values) const override {
    draw(distribution_, stream_of(config_, seed, variable_index), center_, spread_, values);
  }

 private:
  Json config_;
  Distribution distribution_;
  double center_, spread_;
};

/// Keras' compute_fans for vectors, matrices and (receptive field, in, out).
void fans(const Shape& shape, double& fan_in, double& fan_out) {
  if (shape.rank() <= 1) {
    fan_in = fan_out = static_cast<double>(std::max<std::int64_t>(1, shape.rank() == 0 ? 1 : shape[0]));
    return;
  }
  double field = 1;
  for (std::int64_t axis = 0; axis + 2 < shape.rank(); ++axis) field *= static_cast<double>(shape[axis]);
  fan_in = field * static_cast<double>(shape[shape.rank() - 2]);
  fan_out = field * static_cast<double>(shape[shape.rank() - 1]);
}

/// keras.initializers.VarianceScaling; Glorot, He and Lecun are its special cases.
class VarianceScaling : public Initializer {
 public:
  VarianceScaling(Json config, double scale, std::string mode, Distribution distribution)
      : config_(std::move(config)), scale_(scale), mode_(std::move(mode)), distribution_(distribution) {}
  void fill(const Shape& shape, std::uint64_t seed, std::uint32_t variable_index,
            std::span<float> values) const override {
    double fan_in = 0, fan_out = 0;
    fans(shape, fan_in, fan_out);
    const double fan = mode_ == "fan_in" ? fan_in : mode_ == "fan_out" ? fan_out : (fan_in + fan_out) / 2.0;
    const double variance = scale_ / std::max(1.0, fan);
    double spread = std::sqrt(variance);
    if (distribution_ == Distribution::kUniform) spread = std::sqrt(3.0 * variance);
    // Truncation at two standard deviations leaves 0.8796... of one: Keras makes up for it.
    if (distribution_ == Distribution::kTruncatedNormal) spread /= 0.87962566103423978;
    draw(distribution_, stream_of(config_, seed, variable_index), 0.0, spread, values);
  }

 private:
  Json config_;
  double scale_;
  std::string mode_;
  Distribution distribution_;
};

class IdentityMatrix : public Initializer {
 public:
  explicit IdentityMatrix(float gain) : gain_(gain) {}
  void fill(const Shape& shape, std::uint64_t, std::uint32_t, std::span<float> values) const override {
    if (shape.rank() != 2)
      throw InputError("Identity matrix initializer can only be used for 2D matrices. Received: shape=" +
                       shape.to_string());
    std::fill(values.begin(), values.end(), 0.0F);
    for (std::int64_t i = 0; i < std::min(shape[0], shape[1]); ++i)
      values[static_cast<std::size_t>(i * shape[1] + i)] = gain_;
  }

 private:
  float gain_;
};

class Orthogonal : public Initializer {
 public:
  explicit Orthogonal(Json config) : config_(std::move(config)) {}
  void fill(const Shape& shape, std::uint64_t seed, std::uint32_t variable_index,
            std::span<float> values) const override {
    if (shape.rank() < 2) {
      throw InputError("The tensor to initialize must be at least two-dimensional. Received: shape=" +
                       shape.to_string());
    }
    orthogonal_matrix(shape.leading(), shape.last(), stream_of(config_, seed, variable_index),
                      config_["gain"].get<double>(), values);
  }

 private:
  Json config_;
};

void add_scaled(Registry<Initializer>& registry, const std::string& name, const std::string& snake,
                double scale, const std::string& mode, Distribution distribution, const std::string& source) {
  registry.add({name, {snake}, {seed_parameter()}, source}, [=](const Json& config) {
    return std::make_unique<VarianceScaling>(config, scale, mode, distribution);
  });
}

Distribution distribution_of(const std::string& name) {
  if (name == "uniform") return Distribution::kUniform;
  if (name == "truncated_normal" || name == "normal") return Distribution::kTruncatedNormal;
  if (name == "untruncated_normal") return Distribution::kNormal;
  throw InputError("Invalid `distribution` argument: \"" + name +
                   "\"; it is one of truncated_normal, untruncated_normal, uniform");
}

std::unique_ptr<Initializer> make_variance_scaling(const Json& config) {
  const double scale = config["scale"].get<double>();
  const std::string mode = config["mode"].get<std::string>();
  if (scale <= 0)
    throw InputError("Argument `scale` must be positive float. Received: scale=" + std::to_string(scale));
  if (mode != "fan_in" && mode != "fan_out" && mode != "fan_avg") {
    throw InputError("Invalid `mode` argument: \"" + mode + "\"; it is one of fan_in, fan_out, fan_avg");
  }
  return std::make_unique<VarianceScaling>(config, scale, mode,
                                           distribution_of(config["distribution"].get<std::string>()));
}

Registry<Initializer> make_registry() {  // NOLINT(readability-function-size): a table
  Registry<Initializer> registry("initializer");
  registry.add({"Zeros", {"zeros", "zero"}, {}, "0 (keras.initializers.Zeros)"},
               [](const Json&) { return std::make_unique<Filled>(0.0F); });
  registry.add({"Ones", {"ones", "one"}, {}, "1 (keras.initializers.Ones)"},
               [](const Json&) { return std::make_unique<Filled>(1.0F); });
  registry.add(
      {"Constant", {"constant"}, {{"value", Kind::kNumber, 0.0}}, "value (keras.initializers.Constant)"},
      [](const Json& config) { return std::make_unique<Filled>(config["value"].get<float>()); });
  const auto uniform = [](const std::string& variance, const std::string& name) {
    return "uniform in +-sqrt(3 v), v = " + variance + " (keras.initializers." + name + ")";
  };
  const auto normal = [](const std::string& variance, const std::string& name) {
    return "truncated normal of variance " + variance + " (keras.initializers." + name + ")";
  };
  const std::string glorot = "2 / (inputs + outputs), Glorot and Bengio 2010",
                    he = "2 / inputs, He et al. 2015", lecun = "1 / inputs, LeCun et al. 1998";
  add_scaled(registry, "GlorotUniform", "glorot_uniform", 1.0, "fan_avg", Distribution::kUniform,
             uniform(glorot, "GlorotUniform"));
  add_scaled(registry, "GlorotNormal", "glorot_normal", 1.0, "fan_avg", Distribution::kTruncatedNormal,
             normal(glorot, "GlorotNormal"));
  add_scaled(registry, "HeUniform", "he_uniform", 2.0, "fan_in", Distribution::kUniform,
             uniform(he, "HeUniform"));
  add_scaled(registry, "HeNormal", "he_normal", 2.0, "fan_in", Distribution::kTruncatedNormal,
             normal(he, "HeNormal"));
  add_scaled(registry, "LecunUniform", "lecun_uniform", 1.0, "fan_in", Distribution::kUniform,
             uniform(lecun, "LecunUniform"));
  add_scaled(registry, "LecunNormal", "lecun_normal", 1.0, "fan_in", Distribution::kTruncatedNormal,
             normal(lecun, "LecunNormal"));
  registry.add({"VarianceScaling",
                {"variance_scaling"},
                {{"scale", Kind::kNumber, 1.0},
                 {"mode", Kind::kText, "fan_in"},
                 {"distribution", Kind::kText, "truncated_normal"},
                 seed_parameter()},
                "truncated normal, untruncated normal or uniform of variance scale / fan "
                "(keras.initializers.VarianceScaling)"},
               make_variance_scaling);
  registry.add({"RandomNormal",
                {"random_normal", "normal"},
                {{"mean", Kind::kNumber, 0.0}, {"stddev", Kind::kNumber, 0.05}, seed_parameter()},
                "normal (keras.initializers.RandomNormal)"},
               [](const Json& config) {
                 return std::make_unique<Random>(config, Distribution::kNormal, config["mean"].get<double>(),
                                                 config["stddev"].get<double>());
               });
  registry.add({"TruncatedNormal",
                {"truncated_normal"},
                {{"mean", Kind::kNumber, 0.0}, {"stddev", Kind::kNumber, 0.05}, seed_parameter()},
                "normal, redrawn beyond two deviations (keras.initializers.TruncatedNormal)"},
               [](const Json& config) {
                 return std::make_unique<Random>(config, Distribution::kTruncatedNormal,
                                                 config["mean"].get<double>(),
                                                 config["stddev"].get<double>());
               });
  registry.add({"RandomUniform",
                {"random_uniform", "uniform"},
                {{"minval", Kind::kNumber, -0.05}, {"maxval", Kind::kNumber, 0.05}, seed_parameter()},
                "uniform (keras.initializers.RandomUniform)"},
               [](const Json& config) {
                 const double low = config["minval"].get<double>(), high = config["maxval"].get<double>();
                 return std::make_unique<Random>(config, Distribution::kUniform, (low + high) / 2,
                                                 (high - low) / 2);
               });
  registry.add({"Orthogonal",
                {"orthogonal", "OrthogonalInitializer"},
                {{"gain", Kind::kNumber, 1.0}, seed_parameter()},
                "gain times an orthogonal matrix, Saxe et al. 2014 (keras.initializers.Orthogonal)"},
               [](const Json& config) { return std::make_unique<Orthogonal>(config); });
  registry.add(
      {"Identity",
       {"identity", "IdentityInitializer"},
       {{"gain", Kind::kNumber, 1.0}},
       "gain times the identity matrix (keras.initializers.Identity)"},
      [](const Json& config) { return std::make_unique<IdentityMatrix>(config["gain"].get<float>()); });
  registry.refuse({"STFT", "stft", "STFTInitializer"}, "it is for spectrograms");
  return registry;
}

}  // namespace

Registry<Initializer>& initializers() {
  static Registry<Initializer> registry = make_registry();
  return registry;
}

}  // namespace nntrain::nn
