#include "nn/variables/regularizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/products/products.h"
#include "nn/variables/axis_groups.h"

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

/// factor * sum |off-diagonal cosines| / size * ..., as keras.regularizers.OrthogonalRegularizer. The cosines
/// of all pairs are one matrix product, and the gradient another, of their signs: chains in float32, as
/// Keras'.
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
    take(shape, values);
    double sum = 0;
    for (std::int64_t i = 0; i < count_; ++i) {
      const float* row = &cosines_[static_cast<std::size_t>(i * count_)];
      sum += lane_sum(count_, [&](std::int64_t j) { return static_cast<double>(std::abs(row[j])); });
    }
    return factor_ * 0.5 * sum / pairs();
  }
  void add_gradient(const Shape& shape, std::span<const float> values, float scale,
                    std::span<float> gradient) override {
    take(shape, values);
    const auto share = static_cast<float>(static_cast<double>(scale) * factor_ / pairs());
    signs_.resize(static_cast<std::size_t>(kTogether * count_));
    d_.resize(static_cast<std::size_t>(kTogether * length_));
    for (std::int64_t first = 0; first < count_; first += kTogether) {
      const std::int64_t together = std::min(kTogether, count_ - first);
      const float* cosines = &cosines_[static_cast<std::size_t>(first * count_)];
      for (std::int64_t i = 0; i < together * count_; ++i) {
        const float above = cosines[i] > 0 ? share : 0.0F, below = cosines[i] < 0 ? share : 0.0F;
        signs_[static_cast<std::size_t>(i)] = above - below;
      }
      chain_products().multiply(together, length_, count_, signs_.data(), vectors_.data(), d_.data());
      for (std::int64_t i = 0; i < together; ++i)
        project(shape, first + i, &d_[static_cast<std::size_t>(i * length_)], gradient);
    }
  }

 private:
  const float* vector(std::int64_t i) const { return &vectors_[static_cast<std::size_t>(i * length_)]; }

  /// d, with respect to the direction of vector i, with respect to the vector itself: into its gradient.
  void project(const Shape& shape, std::int64_t i, const float* d, std::span<float> gradient) const {
    const float* v = vector(i);
    const double along = lane_sum(
        length_, [&](std::int64_t k) { return static_cast<double>(d[k]) * static_cast<double>(v[k]); });
    const double norm = norms_[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < length_; ++k) {
      const std::int64_t at = by_rows_ ? i * shape[1] + k : k * shape[1] + i;
      gradient[static_cast<std::size_t>(at)] += static_cast<float>((d[k] - along * v[k]) / norm);
    }
  }

  double pairs() const { return count_ > 1 ? static_cast<double>(count_ * (count_ - 1)) / 2.0 : 1.0; }

  /// Fills vectors_, norms_ and cosines_ (0 of a vector with itself). A step asks for the penalty and for its
  /// gradient of the same values: the second time they are there.
  void take(const Shape& shape, std::span<const float> values) {
    if (shape.rank() != 2)
      throw InputError("Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=" +
                       shape.to_string());
    if (shape == shape_ && std::equal(values.begin(), values.end(), values_.begin(), values_.end())) return;
    shape_ = shape;
    values_.assign(values.begin(), values.end());
    count_ = by_rows_ ? shape[0] : shape[1];
    length_ = by_rows_ ? shape[1] : shape[0];
    norms_.clear();
    vectors_.resize(values.size());
    for (std::int64_t i = 0; i < count_; ++i) {
      const auto value = [&](std::int64_t k) {
        return static_cast<double>(
            values[static_cast<std::size_t>(by_rows_ ? i * shape[1] + k : k * shape[1] + i)]);
      };
      const double squares = lane_sum(length_, [&](std::int64_t k) { return value(k) * value(k); });
      norms_.push_back(std::max(std::sqrt(squares), 1e-6));
      float* to = &vectors_[static_cast<std::size_t>(i * length_)];
      for (std::int64_t k = 0; k < length_; ++k) to[k] = static_cast<float>(value(k) / norms_.back());
    }
    cosines_.resize(static_cast<std::size_t>(count_ * count_));
    chain_products().multiply_transposed(count_, count_, length_, vectors_.data(), vectors_.data(),
                                         cosines_.data());
    for (std::int64_t i = 0; i < count_; ++i) cosines_[static_cast<std::size_t>(i * count_ + i)] = 0;
  }

  static constexpr std::int64_t kTogether = 256;  ///< vectors whose gradients are made at once
  double factor_;
  bool by_rows_;
  // Of the last call; kept so that a step allocates nothing.
  std::int64_t count_ = 0, length_ = 0;
  std::vector<float> vectors_;  // (count, length), of length 1
  std::vector<double> norms_;   // (count)
  std::vector<float> cosines_;  // (count, count)
  std::vector<float> signs_;    // (kTogether, count)
  std::vector<float> d_;        // (kTogether, length)
  Shape shape_;
  std::vector<float> values_;
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
