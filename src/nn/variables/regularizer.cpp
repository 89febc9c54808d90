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
    normalize(shape, values);
    double sum = 0;
    for (std::int64_t i = 0; i < count_; ++i) {
      const double* products = &products_[static_cast<std::size_t>(i * count_)];
      for (std::int64_t j = 0; j < count_; ++j) sum += i == j ? 0.0 : std::abs(products[j]);
    }
    return factor_ * 0.5 * sum / pairs();
  }
  void add_gradient(const Shape& shape, std::span<const float> values, float scale,
                    std::span<float> gradient) override {
    normalize(shape, values);
    const double share = static_cast<double>(scale) * factor_ / pairs();
    d_.resize(static_cast<std::size_t>(kTogether * length_));
    for (std::int64_t first = 0; first < count_; first += kTogether) {
      const std::int64_t end = std::min(first + kTogether, count_);
      std::fill(d_.begin(), d_.end(), 0.0);
      for (std::int64_t j = 0; j < count_; ++j) {
        for (std::int64_t i = first; i < end; ++i) {
          const double dot = i == j ? 0.0 : products_[static_cast<std::size_t>(i * count_ + j)];
          add_scaled(dot > 0 ? share : (dot < 0 ? -share : 0.0), vector(j), length_, direction(i - first));
        }
      }
      for (std::int64_t i = first; i < end; ++i) project(shape, i, direction(i - first), gradient);
    }
  }

 private:
  const double* vector(std::int64_t i) const { return &vectors_[static_cast<std::size_t>(i * length_)]; }
  double* direction(std::int64_t i) { return &d_[static_cast<std::size_t>(i * length_)]; }

  /// d, with respect to the direction of vector i, with respect to the vector itself: into its gradient.
  void project(const Shape& shape, std::int64_t i, const double* d, std::span<float> gradient) const {
    double along = 0;
    for (std::int64_t k = 0; k < length_; ++k) along += d[k] * vector(i)[k];
    const double norm = norms_[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < length_; ++k) {
      const std::int64_t at = by_rows_ ? i * shape[1] + k : k * shape[1] + i;
      gradient[static_cast<std::size_t>(at)] += static_cast<float>((d[k] - along * vector(i)[k]) / norm);
    }
  }

  double pairs() const { return count_ > 1 ? static_cast<double>(count_ * (count_ - 1)) / 2.0 : 1.0; }

  /// y += a x; neither overlaps the other.
  static void add_scaled(double a, const double* __restrict x, std::int64_t n, double* __restrict y) {
    for (std::int64_t k = 0; k < n; ++k) y[k] += a * x[k];
  }

  /// Fills vectors_, norms_ and products_ with the vectors' directions and their dot products. A step asks
  /// for the penalty and for its gradient of the same values: the second time they are there.
  void normalize(const Shape& shape, std::span<const float> values) {
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
      double* to = &vectors_[static_cast<std::size_t>(i * length_)];
      double squares = 0;
      for (std::int64_t k = 0; k < length_; ++k) {
        const double x = values[static_cast<std::size_t>(by_rows_ ? i * shape[1] + k : k * shape[1] + i)];
        to[k] = x;
        squares += x * x;
      }
      norms_.push_back(std::max(std::sqrt(squares), 1e-6));
      for (std::int64_t k = 0; k < length_; ++k) to[k] /= norms_.back();
    }
    multiply();
  }

  /// products_(i, j) = sum over k of v(i, k) v(j, k), each in the order of k. Component by component, so that
  /// the inner loop runs over neighbours; both halves of the table are the same bits.
  void multiply() {
    components_.resize(static_cast<std::size_t>(count_ * length_));
    for (std::int64_t i = 0; i < count_; ++i) {
      for (std::int64_t k = 0; k < length_; ++k)
        components_[static_cast<std::size_t>(k * count_ + i)] = vector(i)[k];
    }
    products_.assign(static_cast<std::size_t>(count_ * count_), 0.0);
    for (std::int64_t first = 0; first < count_; first += kTogether) {
      const std::int64_t end = std::min(first + kTogether, count_);
      for (std::int64_t k = 0; k < length_; ++k) {
        const double* component = &components_[static_cast<std::size_t>(k * count_)];
        for (std::int64_t i = first; i < end; ++i)
          add_scaled(component[i], component + first, count_ - first,
                     &products_[static_cast<std::size_t>(i * count_ + first)]);
      }
    }
    for (std::int64_t i = 0; i < count_; ++i) {
      for (std::int64_t j = 0; j < i; ++j)
        products_[static_cast<std::size_t>(i * count_ + j)] =
            products_[static_cast<std::size_t>(j * count_ + i)];
    }
  }

  static constexpr std::int64_t kTogether = 8;  ///< vectors that take up a row while it is in the cache
  double factor_;
  bool by_rows_;
  // Of the last call; kept so that a step allocates nothing.
  std::int64_t count_ = 0, length_ = 0;
  std::vector<double> vectors_;     // (count, length), of length 1
  std::vector<double> components_;  // (length, count): the same
  std::vector<double> norms_;       // (count)
  std::vector<double> products_;    // (count, count)
  std::vector<double> d_;           // (kTogether, length)
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
