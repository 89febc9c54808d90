// keras/src/constraints/constraints.py.

#include "nntrain/nn/constraint.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "nntrain/core/call.h"

namespace nntrain::nn {

namespace {

constexpr double kEpsilon = 1e-7;

class NonNegative : public Constraint {
 public:
  void apply(const Shape&, std::span<float> values) const override {
    for (float& value : values) value = value < 0 ? 0.0F : value;
  }
};

/// w times a function of the norm along `axis` (axes of the variable itself; 0 by default: one norm a unit).
class NormConstraint : public Constraint {
 public:
  NormConstraint(const Json& axis, std::function<double(double)> factor) : factor_(std::move(factor)) {
    for (const Json& item : axis.is_array() ? axis : Json::array({axis})) {
      if (!item.is_number_integer()) throw InputError("axis must be a whole number or a list of them, got " + format_call(axis));
      axes_.push_back(item.get<std::int64_t>());
    }
  }

  void apply(const Shape& shape, std::span<float> values) const override {
    std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), false);
    for (const std::int64_t given : axes_) {
      const std::int64_t axis = given + (given < 0 ? shape.rank() : 0);
      if (axis < 0 || axis >= shape.rank()) throw InputError("a norm constraint's axis " + std::to_string(given) + " is out of bounds for a variable of shape " + shape.to_string());
      reduced[static_cast<std::size_t>(axis)] = true;
    }
    std::vector<std::size_t> group(values.size());
    std::size_t groups = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::int64_t rest = static_cast<std::int64_t>(i), at = 0, stride = 1;
      for (std::int64_t axis = shape.rank() - 1; axis >= 0; --axis) {
        if (!reduced[static_cast<std::size_t>(axis)]) {
          at += rest % shape[axis] * stride;
          stride *= shape[axis];
        }
        rest /= shape[axis];
      }
      group[i] = static_cast<std::size_t>(at);
      groups = std::max(groups, group[i] + 1);
    }
    std::vector<double> factors(groups, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) factors[group[i]] += static_cast<double>(values[i]) * values[i];
    for (double& factor : factors) factor = factor_(std::sqrt(factor));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(values[i] * factors[group[i]]);
  }

 private:
  std::vector<std::int64_t> axes_;
  std::function<double(double)> factor_;
};

Registry<Constraint> make_registry() {
  Registry<Constraint> registry("constraint");
  const Parameter axis{"axis", Kind::kAny, 0};
  registry.add({"MaxNorm", {"max_norm"}, {{"max_value", Kind::kNumber, 2.0}, axis}, "norms of at most max_value (keras.constraints.MaxNorm)"}, [](const Json& config) {
    const double most = config["max_value"].get<double>();
    return std::make_unique<NormConstraint>(config["axis"], [most](double norm) { return std::min(norm, most) / (kEpsilon + norm); });
  });
  registry.add({"NonNeg", {"non_neg"}, {}, "no negative values (keras.constraints.NonNeg)"}, [](const Json&) { return std::make_unique<NonNegative>(); });
  registry.add({"UnitNorm", {"unit_norm"}, {axis}, "norms of 1 (keras.constraints.UnitNorm)"}, [](const Json& config) {
    return std::make_unique<NormConstraint>(config["axis"], [](double norm) { return 1.0 / (kEpsilon + norm); });
  });
  registry.add({"MinMaxNorm",
                {"min_max_norm"},
                {{"min_value", Kind::kNumber, 0.0}, {"max_value", Kind::kNumber, 1.0}, {"rate", Kind::kNumber, 1.0}, axis},
                "norms between min_value and max_value (keras.constraints.MinMaxNorm)"},
               [](const Json& config) {
                 const double least = config["min_value"].get<double>(), most = config["max_value"].get<double>(), rate = config["rate"].get<double>();
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
