// model_config as every version of Keras takes it, and read back as the same model.

#include <gtest/gtest.h>

#include "core/call.h"
#include "nn/layers/layer.h"
#include "nn/model/sequential.h"
#include "nn/variables/initializer.h"

namespace nntrain::nn {
namespace {

std::vector<Json> layers_of(const std::vector<std::string>& calls) {
  std::vector<Json> canonical;
  for (const std::string& call : calls) canonical.push_back(layers().canonical(parse_call(call)));
  return canonical;
}

/// The entry of the model's first layer.
Json first_entry(const std::string& call) {
  return Sequential("m", layers_of({call}), Shape{3}).config()["config"]["layers"][1];
}

TEST(Architecture, AModuleTellsLayersAsActivationsFromOtherObjects) {
  for (const Signature* initializer : initializers().signatures()) {
    const std::string& name = initializer->class_name;
    const Json entry = first_entry("Dense(3, kernel_initializer=" + name + "())");
    EXPECT_FALSE(entry["config"]["kernel_initializer"].contains("module"))
        << name;  // Identity is a layer, too
  }
  const Json entry = first_entry("Dense(3, activation=LeakyReLU(0.1))");
  EXPECT_EQ(entry["config"]["activation"]["module"], "keras.layers");
}

TEST(Architecture, WordsThatKeras2AndEarlyKeras3Know) {
  const Json leaky = first_entry("LeakyReLU(0.2)")["config"];
  EXPECT_FLOAT_EQ(leaky["alpha"].get<float>(), 0.2F);
  EXPECT_FALSE(leaky.contains("negative_slope"));
  const Json dense = first_entry("Dense(3, kernel_initializer=Orthogonal(0.9))")["config"];
  EXPECT_EQ(dense["kernel_initializer"]["class_name"], "orthogonal");
  EXPECT_FALSE(first_entry("CategoryEncoding(4)")["config"].contains("sparse"));
  const Json lookup = first_entry("IntegerLookup(vocabulary=[1, 2])")["config"];
  EXPECT_FALSE(lookup.contains("sparse") || lookup.contains("oov_method"));
}

TEST(Architecture, WhatIsWrittenIsReadBackAsTheSameLayers) {
  std::vector<std::string> calls = {"LeakyReLU(0.2)",
                                    "LeakyReLU()",
                                    "Dense(3, activation=LeakyReLU(0.1))",
                                    "Dense(3, activation=ReLU(max_value=2.0))",
                                    "CategoryEncoding(4)",
                                    "IntegerLookup(vocabulary=[1, 2])",
                                    "Hashing(4)"};
  for (const Signature* initializer : initializers().signatures())
    calls.push_back("Dense(3, kernel_initializer=" + initializer->class_name + "())");
  for (const std::string& call : calls) {
    const Sequential model("m", layers_of({call}), Shape{3});
    const Architecture back = architecture_from_keras(Json::parse(model.config().dump()));
    ASSERT_EQ(back.layers.size(), 1U) << call;
    Json then = layers_of({call})[0], now = back.layers[0];
    for (const char* given : {"name", "dtype"}) now["config"][given] = then["config"][given] = nullptr;
    EXPECT_EQ(now, then) << call;
  }
}

}  // namespace
}  // namespace nntrain::nn
