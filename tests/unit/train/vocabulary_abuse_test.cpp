// Whatever stands in a configuration or a file as an argument, of any type: it is taken or refused with an
// InputError.

#include <gtest/gtest.h>

#include <map>

#include "core/call.h"
#include "metrics/metric.h"
#include "nn/activations/activation.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"

namespace nntrain {
namespace {

const std::vector<Json>& odd_values() {
  static const std::vector<Json> values = {nullptr,
                                           true,
                                           0,
                                           1,
                                           -1,
                                           3,
                                           2.5,
                                           -2.5,
                                           1e300,
                                           -1e300,
                                           "x",
                                           "",
                                           Json::array(),
                                           {1},
                                           {-1},
                                           {1, 2},
                                           {0.5, "a"},
                                           Json::array({Json::array({1})}),
                                           Json::array({nullptr}),
                                           Json::object(),
                                           {{"a", 1}},
                                           {{"class_name", "Dense"}, {"config", {{"units", "x"}}}},
                                           {{"class_name", 3}},
                                           {{"class_name", "L2"}, {"config", 7}},
                                           4000000000,
                                           -9000000000000000000};
  return values;
}

/// Something that a required argument takes.
Json usual(const Parameter& parameter) {
  static const std::map<std::string, Json> named = {
      {"activation", "relu"}, {"schedule", parse_call("ExponentialDecay(0.1, 2, 0.5)")},
      {"filepath", "x.h5"},   {"boundaries", {1}},
      {"values", {0.1, 0.2}}, {"target_class_ids", {0}}};
  const auto found = named.find(parameter.name);
  if (found != named.end()) return found->second;
  if (parameter.kind == Kind::kList) return {1};
  if (parameter.kind == Kind::kText) return "x";
  return parameter.kind == Kind::kInteger ? Json(2) : Json(0.5);
}

/// try_out(spec) for every argument of every name with every odd value.
template <class Product, class TryOut>
void abuse(const Registry<Product>& registry, TryOut try_out) {
  int taken = 0, refused = 0;
  for (const Signature* signature : registry.signatures()) {
    Json config = Json::object();
    for (const Parameter& parameter : signature->parameters) {
      if (parameter.required) config[parameter.name] = usual(parameter);
    }
    for (const Parameter& parameter : signature->parameters) {
      for (const Json& odd : odd_values()) {
        Json spec = {{"class_name", signature->class_name}, {"config", config}};
        spec["config"][parameter.name] = odd;
        try {
          try_out(spec);
          ++taken;
        } catch (const InputError& error) {
          EXPECT_FALSE(std::string(error.what()).empty());
          ++refused;
        } catch (const std::exception& error) {
          ADD_FAILURE() << registry.family() << " " << format_call(spec) << ": " << error.what();
        }
      }
    }
  }
  EXPECT_GT(taken + refused, 0);
}

TEST(Abuse, Layers) {
  for (const Shape& input : {Shape{4}, Shape{2, 3}, Shape{3, 2, 2}}) {
    abuse(nn::layers(), [&](const Json& spec) { nn::Sequential("m", {spec, Json("Identity")}, input); });
  }
}
TEST(Abuse, Activations) {
  abuse(nn::activations(), [](const Json& spec) { (void)nn::activations().make(spec); });
}
TEST(Abuse, Initializers) {
  abuse(nn::initializers(), [](const Json& spec) {
    std::vector<float> values(6);
    nn::initializers().make(spec)->fill(Shape{2, 3}, 1, 0, values);
  });
}
TEST(Abuse, RegularizersAndConstraints) {
  std::vector<float> values(6, 0.5F), gradient(6);
  abuse(nn::regularizers(), [&](const Json& spec) {
    nn::regularizers().make(spec)->add_gradient(Shape{2, 3}, values, 1, gradient);
  });
  abuse(nn::constraints(), [&](const Json& spec) {
    nn::constraints().make(spec)->apply(Shape{2, 3}, values);
  });
}
TEST(Abuse, Losses) {
  abuse(nn::losses(), [](const Json& spec) { nn::losses().make(spec)->check_shapes(Shape{3}, Shape{3}); });
}
TEST(Abuse, Metrics) {
  abuse(metrics::metrics(), [](const Json& spec) {
    for (const auto& [target, output] :
         {std::pair{Shape{3}, Shape{3}}, {Shape{1}, Shape{1}}, {Shape{1}, Shape{3}}}) {
      std::string key;
      const std::unique_ptr<metrics::Metric> metric = metrics::make_metric(spec, target, output, key);
      metric->build(target, output);
      if (metric->size() > 1000000) continue;
      std::vector<double> sums(static_cast<std::size_t>(metric->size()), 0.0), result;
      const std::vector<float> t(static_cast<std::size_t>(target.size()), 1.0F),
          p(static_cast<std::size_t>(output.size()), 0.3F);
      metric->update({1, output.last(), target.last(), t.data(), p.data(), nullptr}, sums);
      metric->result(sums, result);
    }
  });
}
TEST(Abuse, OptimizersAndSchedules) {
  abuse(optim::optimizers(),
        [](const Json& spec) { (void)optim::optimizers().make(spec)->learning_rate(3); });
  abuse(optim::schedules(), [](const Json& spec) { (void)optim::schedules().make(spec)->rate(3); });
}
TEST(Abuse, Callbacks) {
  abuse(train::callbacks(), [](const Json& spec) { (void)train::callbacks().make(spec); });
}

}  // namespace
}  // namespace nntrain
