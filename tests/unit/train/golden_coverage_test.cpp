// Every name of the vocabulary, and every argument at another value than its default, has a golden case from
// real Keras. What cannot have one stands below with its reason.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/call.h"
#include "golden_json.h"
#include "metrics/metric.h"
#include "nn/activations/activation.h"
#include "nn/layers/layer.h"
#include "nn/losses/loss.h"
#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"

namespace nntrain {
namespace {

struct Exception {
  const char *family, *name;  ///< "*": any
  const char* argument;       ///< "": the name itself
  const char* reason;
};
constexpr Exception kExceptions[] = {
    {"layer", "Input", "", "it declares a shape and computes nothing; model_configs.json has it"},
    {"layer", "Input", "*", "it declares a shape and computes nothing; model_configs.json has them"},
    {"layer", "BatchNormalization", "synchronized",
     "the statistics are those of the whole mini-batch whatever it says"},
    {"layer", "Flatten", "data_format", "channels_last is what None means"},
    {"optimizer", "LARS", "use_ema",
     "Keras has no LARS; the average is common code, golden with every other optimizer"},
    {"optimizer", "LARS", "ema_momentum", "as use_ema"},
    {"optimizer", "LARS", "ema_overwrite_frequency", "as use_ema"},
    {"callback", "*", "verbose", "it only prints"},
    {"callback", "TensorBoard", "",
     "it decides nothing; its events are read back: tensorboard_test.cpp, tests/interop/tensorboard.sh"},
    {"callback", "TensorBoard", "*", "as its name"},
    {"callback", "ModelCheckpoint", "save_weights_only",
     "Keras wants another layout then, ours is a model without training: tests/cli/callbacks_test.cpp"},
    {"callback", "ModelCheckpoint", "save_freq", "it needs the steps of a run: tests/cli/callbacks_test.cpp"},
};

bool is_exception(const std::string& family, const std::string& name, const std::string& argument) {
  for (const Exception& one : kExceptions) {
    const bool fits = family == one.family && (name == one.name || std::string(one.name) == "*");
    if (fits && (argument == one.argument || (std::string(one.argument) == "*" && !argument.empty())))
      return true;
  }
  return false;
}

template <class Product>
void expect_covered(const Registry<Product>& registry, const std::vector<std::string>& files) {
  std::map<std::string, std::set<std::string>>
      seen;  // class name -> arguments at other values than their defaults
  for (const std::string& file : files) {
    for (const Json& one : golden::cases(file)) {
      if (!one.contains("spec")) continue;  // a whole file
      const std::string spec = one["spec"].get<std::string>();
      Json canonical;
      try {
        canonical = registry.canonical(parse_call(spec));
      } catch (const InputError& error) {  // docs/vocabulary.md: only the default
        ASSERT_NE(std::string(error.what()).find("supported"), std::string::npos)
            << file << ": " << spec << ": " << error.what();
        continue;
      }
      std::set<std::string>& arguments = seen[canonical["class_name"].get<std::string>()];
      for (const Signature* signature : registry.signatures()) {
        if (signature->class_name != canonical["class_name"]) continue;
        for (const Parameter& parameter : signature->parameters) {
          Json usual = parameter.default_value;
          if (parameter.kind == Kind::kObject && parameter.canonical && !usual.is_null())
            usual = parameter.canonical(usual);
          if (parameter.required || canonical["config"][parameter.name] != usual)
            arguments.insert(parameter.name);
        }
      }
    }
  }
  const std::string family = registry.family();
  for (const Signature* signature : registry.signatures()) {
    const std::string& name = signature->class_name;
    EXPECT_TRUE(seen.count(name) != 0 || is_exception(family, name, ""))
        << "no golden case of the " << family << " " << name;
    for (const Parameter& parameter : signature->parameters) {
      const bool said_elsewhere = parameter.name == "name" || parameter.name == "dtype" ||
                                  parameter.name == "trainable" || parameter.only_default;
      EXPECT_TRUE(said_elsewhere || seen[name].count(parameter.name) != 0 ||
                  is_exception(family, name, parameter.name))
          << "no golden case of the " << family << " " << name << " with an unusual " << parameter.name;
    }
  }
}

TEST(GoldenCoverage, Layers) {
  expect_covered(nn::layers(), {"layers", "random_layers", "lookups", "words"});
}
TEST(GoldenCoverage, Activations) { expect_covered(nn::activations(), {"activations"}); }
TEST(GoldenCoverage, Initializers) { expect_covered(nn::initializers(), {"initializers"}); }
TEST(GoldenCoverage, Regularizers) { expect_covered(nn::regularizers(), {"regularizers"}); }
TEST(GoldenCoverage, Constraints) { expect_covered(nn::constraints(), {"constraints"}); }
TEST(GoldenCoverage, Losses) { expect_covered(nn::losses(), {"losses"}); }
TEST(GoldenCoverage, Metrics) { expect_covered(metrics::metrics(), {"metrics"}); }
TEST(GoldenCoverage, Optimizers) { expect_covered(optim::optimizers(), {"optimizers", "lars"}); }
TEST(GoldenCoverage, Schedules) { expect_covered(optim::schedules(), {"schedules"}); }
TEST(GoldenCoverage, Callbacks) { expect_covered(train::callbacks(), {"callbacks"}); }

/// A name is known or refused, never both.
template <class Product>
void expect_refused(Registry<Product>& registry) {
  for (const Refusal& refusal : registry.refusals()) {
    EXPECT_FALSE(refusal.reason.empty());
    for (const std::string& name : refusal.names) {
      try {
        (void)registry.canonical(name);
        ADD_FAILURE() << registry.family() << " " << name << " is listed as not supported, but known";
      } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("of Keras is not supported: " + refusal.reason),
                  std::string::npos)
            << error.what();
      }
    }
  }
}

TEST(Vocabulary, WhatIsRefusedSaysWhy) {
  expect_refused(nn::layers());
  expect_refused(nn::activations());
  expect_refused(nn::initializers());
  expect_refused(nn::losses());
  expect_refused(metrics::metrics());
  expect_refused(optim::optimizers());
  expect_refused(train::callbacks());
}

}  // namespace
}  // namespace nntrain
