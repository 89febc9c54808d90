#include "nn/variables/regularizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace nntrain::nn {

namespace {

/// l1 sum |x| + l2 sum x^2 (keras/src/regularizers/regularizers.py).
class L1L2 : public Regularizer {
 public:
  L1L2(double l1, double l2) : l1_(l1), l2_(l2) {
    if (!(l1 >= 0) || !(l2 >= 0) || !std::isfinite(l1) || !std::isfinite(l2)) {
      throw InputError("a regularization factor must be a non-negative finite number, got l1=" +
                       std::to_string(l1) + ", l2=" + std::to_string(l2));
    }
  }
  double loss(const Shape&, std::span<const float> values) override {
    double absolute = 0, squares = 0;
    for (const float value : values) {
      absolute += std::abs(value);
      squares += static_cast<double>(value) * value;
    }
    return l1_ * absolute + l2_ * squares;
  }
  void add_gradient(const Shape&, std::span<const float> values, float scale,
                    std::span<float> gradient) override {
    const auto l1 = static_cast<float>(l1_) * scale, l2 = static_cast<float>(2.0 * l2_) * scale;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float x = values[i];
      gradient[i] += l2 * x + (x < 0 ? -l1 : l1);  // at 0 as Keras on JAX
    }
  }

 private:
  double l1_, l2_;
};

/// factor * sum |off-diagonal cosines| / size * ..., as keras.regularizers.OrthogonalRegularizer.
class Orthogonal : public Regularizer {
 public:
  Orthogonal(double factor, const std::string& mode) : factor_(factor), by_rows_(mode == "rows") {
    if (mode != "rows" && mode != "columns")
      throw InputError(
          "Invalid value for argument `mode`. Expected one of {\"rows\", \"columns\"}. Received: mode=" +
          mode);
  }
  bool mixes_rows() const override { return true; }
  double loss(const Shape& shape, std::span<const float> values) override {
    const Vectors& v = normalized(shape, values);
    double sum = 0;
    for (std::int64_t i = 0; i < v.count; ++i) {
      for (std::int64_t j = 0; j < v.count; ++j) sum += i == j ? 0.0 : std::abs(v.dot(i, j));
    }
    return factor_ * 0.5 * sum / pairs(v.count);
  }
  void add_gradient(const Shape& shape, std::span<const float> values, float scale,
                    std::span<float> gradient) override {
    const Vectors& v = normalized(shape, values);
    const double share = static_cast<double>(scale) * factor_ / pairs(v.count);
    d_.resize(static_cast<std::size_t>(v.length));
    for (std::int64_t i = 0; i < v.count; ++i) {
      std::fill(d_.begin(), d_.end(), 0.0);
      for (std::int64_t j = 0; j < v.count; ++j) {
        const double dot = i == j ? 0.0 : v.dot(i, j);
        const double sign = dot > 0 ? share : (dot < 0 ? -share : 0.0);
        for (std::int64_t k = 0; k < v.length; ++k) d_[static_cast<std::size_t>(k)] += sign * v.at(j, k);
      }
      double along = 0;
      for (std::int64_t k = 0; k < v.length; ++k) along += d_[static_cast<std::size_t>(k)] * v.at(i, k);
      for (std::int64_t k = 0; k < v.length; ++k) {
        const std::int64_t at = by_rows_ ? i * shape[1] + k : k * shape[1] + i;
        gradient[static_cast<std::size_t>(at)] += static_cast<float>(
            (d_[static_cast<std::size_t>(k)] - along * v.at(i, k)) / v.norms[static_cast<std::size_t>(i)]);
      }
    }
  }

 private:
  struct Vectors {
    std::int64_t count = 0, length = 0;
    std::vector<double> values, norms;
    double at(std::int64_t i, std::int64_t k) const {
      return values[static_cast<std::size_t>(i * length + k)];
    }
    double dot(std::int64_t i, std::int64_t j) const {
      double sum = 0;
      for (std::int64_t k = 0; k < length; ++k) sum += at(i, k) * at(j, k);
      return sum;
    }
  };
  static double pairs(std::int64_t count) {
    return count > 1 ? static_cast<double>(count * (count - 1)) / 2.0 : 1.0;
  }

  const Vectors& normalized(const Shape& shape, std::span<const float> values) {
    if (shape.rank() != 2)
      throw InputError("Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=" +
                       shape.to_string());
    Vectors& v = vectors_;
    v.norms.clear();
    v.count = by_rows_ ? shape[0] : shape[1];
    v.length = by_rows_ ? shape[1] : shape[0];
    v.values.resize(values.size());
    for (std::int64_t i = 0; i < v.count; ++i) {
      double squares = 0;
      for (std::int64_t k = 0; k < v.length; ++k) {
        const double x = values[static_cast<std::size_t>(by_rows_ ? i * shape[1] + k : k * shape[1] + i)];
        v.values[static_cast<std::size_t>(i * v.length + k)] = x;
        squares += x * x;
      }
      const double norm = std::max(std::sqrt(squares), 1e-6);
      v.norms.push_back(norm);
      for (std::int64_t k = 0; k < v.length; ++k)
        v.values[static_cast<std::size_t>(i * v.length + k)] /= norm;
    }
    return v;
  }

  double factor_;
  bool by_rows_;
  Vectors vectors_;  ///< of the last call; kept so that a step allocates nothing
  std::vector<double> d_;
};

Registry<Regularizer> make_registry() {
  Registry<Regularizer> registry("regularizer");
  registry.add({"L1", {"l1"}, {{"l1", Kind::kNumber, 0.01}}, "l1 sum |x| (keras.regularizers.L1)"},
               [](const Json& config) { return std::make_unique<L1L2>(config["l1"].get<double>(), 0.0); });
  registry.add({"L2", {"l2"}, {{"l2", Kind::kNumber, 0.01}}, "l2 sum x^2 (keras.regularizers.L2)"},
               [](const Json& config) { return std::make_unique<L1L2>(0.0, config["l2"].get<double>()); });
  registry.add({"L1L2",
                {"l1l2", "l1_l2"},
                {{"l1", Kind::kNumber, 0.0}, {"l2", Kind::kNumber, 0.0}},
                "l1 sum |x| + l2 sum x^2 (keras.regularizers.L1L2)"},
               [](const Json& config) {
                 return std::make_unique<L1L2>(config["l1"].get<double>(), config["l2"].get<double>());
               });
  registry.add({"OrthogonalRegularizer",
                {"orthogonal_regularizer"},
                {{"factor", Kind::kNumber, 0.01}, {"mode", Kind::kText, "rows"}},
                "mean |cosine| between rows or columns (keras.regularizers.OrthogonalRegularizer)"},
               [](const Json& config) {
                 return std::make_unique<Orthogonal>(config["factor"].get<double>(),
                                                     config["mode"].get<std::string>());
               });
  return registry;
}

}  // namespace

Registry<Regularizer>& regularizers() {
  static Registry<Regularizer> registry = make_registry();
  return registry;
}

}  // namespace nntrain::nn
