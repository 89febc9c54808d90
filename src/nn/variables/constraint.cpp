// keras/src/constraints/constraints.py.

#include "nn/variables/constraint.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/call.h"

namespace nntrain::nn {

namespace {

constexpr double kEpsilon = 1e-7;

class NonNegative : public Constraint {
 public:
  void apply(const Shape&, std::span<float> values) override {
    for (float& value : values) value = value < 0 ? 0.0F : value;
  }
};

/// w times a function of the norm along `axis` (axes of the variable itself; 0 by default: one norm a unit).
class NormConstraint : public Constraint {
 public:
  NormConstraint(const Json& axis, std::function<double(double)> factor) : factor_(std::move(factor)) {
    for (const Json& item : axis.is_array() ? axis : Json::array({axis})) {
      if (!item.is_number_integer())
        throw InputError("axis must be a whole number or a list of them, got " + format_call(axis));
      axes_.push_back(item.get<std::int64_t>());
    }
  }

  void apply(const Shape& shape, std::span<float> values) override {
    const std::uint64_t reduced = reduced_axes(shape);
    std::int64_t groups = 1;
    for (std::int64_t axis = 0; axis < shape.rank(); ++axis) groups *= is_in(reduced, axis) ? 1 : shape[axis];
    factors_.assign(static_cast<std::size_t>(groups), 0.0);
    each(shape, reduced, values,
         [](float& value, double& sum) { sum += static_cast<double>(value) * value; });
    for (double& factor : factors_) factor = factor_(std::sqrt(factor));
    each(shape, reduced, values,
         [](float& value, const double& factor) { value = static_cast<float>(value * factor); });
  }

 private:
  static bool is_in(std::uint64_t axes, std::int64_t axis) {
    return (axes >> static_cast<unsigned>(axis) & 1U) != 0;
  }

  /// As a set of bits.
  std::uint64_t reduced_axes(const Shape& shape) const {
    std::uint64_t axes = 0;
    for (const std::int64_t given : axes_) {
      const std::int64_t axis = given + (given < 0 ? shape.rank() : 0);
      if (axis < 0 || axis >= shape.rank()) {
        throw InputError("a norm constraint's axis " + std::to_string(given) +
                         " is out of bounds for a variable of shape " + shape.to_string());
      }
      axes |= std::uint64_t{1} << static_cast<unsigned>(axis);
    }
    return axes;
  }

  /// visit(value, its group's factor) for all values in order.
  template <class Visit>
  void each(const Shape& shape, std::uint64_t reduced, std::span<float> values, const Visit& visit) {
    const std::int64_t columns = shape.rank() == 0 ? 1 : shape.last();
    const std::int64_t step = shape.rank() > 0 && is_in(reduced, shape.rank() - 1) ? 0 : 1;
    for (std::int64_t row = 0; row * columns < static_cast<std::int64_t>(values.size()); ++row) {
      std::int64_t rest = row, group = 0, stride = step == 0 ? 1 : columns;
      for (std::int64_t axis = shape.rank() - 2; axis >= 0; --axis) {
        if (!is_in(reduced, axis)) {
          group += rest % shape[axis] * stride;
          stride *= shape[axis];
        }
        rest /= shape[axis];
      }
      float* value = values.data() + row * columns;
      double* factor = factors_.data() + group;
      for (std::int64_t column = 0; column < columns; ++column, ++value, factor += step)
        visit(*value, *factor);
    }
  }

  std::vector<std::int64_t> axes_;
  std::function<double(double)> factor_;
  std::vector<double> factors_;  ///< one a group; kept so that a step allocates nothing
};

Registry<Constraint> make_registry() {
  Registry<Constraint> registry("constraint");
  const Parameter axis{"axis", Kind::kAny, 0};
  registry.add({"MaxNorm",
                {"max_norm"},
                {{"max_value", Kind::kNumber, 2.0}, axis},
                "norms of at most max_value (keras.constraints.MaxNorm)"},
               [](const Json& config) {
                 const double most = config["max_value"].get<double>();
                 return std::make_unique<NormConstraint>(config["axis"], [most](double norm) {
                   return std::min(norm, most) / (kEpsilon + norm);
                 });
               });
  registry.add({"NonNeg", {"non_neg"}, {}, "no negative values (keras.constraints.NonNeg)"},
               [](const Json&) { return std::make_unique<NonNegative>(); });
  registry.add({"UnitNorm", {"unit_norm"}, {axis}, "norms of 1 (keras.constraints.UnitNorm)"},
               [](const Json& config) {
                 return std::make_unique<NormConstraint>(config["axis"],
                                                         [](double norm) { return 1.0 / (kEpsilon + norm); });
               });
  registry.add({"MinMaxNorm",
                {"min_max_norm"},
                {{"min_value", Kind::kNumber, 0.0},
                 {"max_value", Kind::kNumber, 1.0},
                 {"rate", Kind::kNumber, 1.0},
                 axis},
                "norms between min_value and max_value (keras.constraints.MinMaxNorm)"},
               [](const Json& config) {
                 const double least = config["min_value"].get<double>(),
                              most = config["max_value"].get<double>(), rate = config["rate"].get<double>();
                 return std::make_unique<NormConstraint>(config["axis"], [=](double norm) {
                   return (rate * std::clamp(norm, least, most) + (1.0 - rate) * norm) / (kEpsilon + norm);
                 });
               });
  return registry;
}

}  // namespace

Registry<Constraint>& constraints() {
  static Registry<Constraint> registry = make_registry();
  return registry;
}

}  // namespace nntrain::nn
