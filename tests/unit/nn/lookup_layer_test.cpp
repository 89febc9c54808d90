// Preprocessing layers of numbers against real Keras, and what they refuse.

#include <gtest/gtest.h>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {
namespace {

std::vector<float> forward(const Json& spec, const Shape& sample, const std::vector<float>& x) {
  Sequential model("m", {spec}, sample);
  const auto rows = static_cast<std::int64_t>(x.size()) / sample.size();
  const std::vector<std::int64_t> bounds = {0, rows};
  BatchContext context;
  context.rows = context.batch_rows = rows;
  context.bounds = bounds;
  std::vector<float> y(static_cast<std::size_t>(rows * model.output_shape().size()));
  model.layers()[0]->forward(context, x.data(), y.data());
  return y;
}

Shape sample_of(const Json& array) {
  std::vector<std::int64_t> extents = array["shape"].get<std::vector<std::int64_t>>();
  extents.erase(extents.begin());
  return Shape(extents);
}

TEST(Golden, PreprocessingLayers) {
  int tried = 0;
  for (const Json& one : golden::cases("lookups")) {
    if (one["kind"] != "values") continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    const std::vector<float> x = golden::values(one["x"]);
    const Shape sample = sample_of(one["x"]);
    EXPECT_EQ(forward(parse_call(one["spec"].get<std::string>()), sample, x), golden::values(one["y"]));
    // Keras' own words for the layer make the same one.
    const Json file = {{"class_name", "Sequential"}, {"config", {{"layers", Json::array({one["config"]})}}}};
    EXPECT_EQ(forward(architecture_from_keras(file).layers.at(0), sample, x), golden::values(one["y"]));
    ++tried;
  }
  EXPECT_GE(tried, 30);
}

std::string refusal(const std::vector<std::string>& layers, const Shape& input) {
  std::vector<Json> specs;
  for (const std::string& layer : layers) specs.push_back(parse_call(layer));
  try {
    Sequential("m", specs, input);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ValueDemands, AreMetByTheLayersBefore) {
  EXPECT_EQ(refusal({"Discretization([0.0, 1.0])", "Embedding(3, 2)"}, Shape{4}), "");
  EXPECT_EQ(refusal({"Discretization([0.0, 1.0])", "Flatten()", "Permute([1])", "Embedding(3, 2)"}, Shape{4}),
            "");
  EXPECT_NE(refusal({"Discretization([0.0, 1.0])", "Embedding(2, 2)"}, Shape{4}).find("gives 0 to 2"),
            std::string::npos);
  EXPECT_NE(refusal({"Dense(3)", "Embedding(2, 2)"}, Shape{4}).find("gives other numbers, too"),
            std::string::npos);
  EXPECT_NE(refusal({"Hashing(9)", "CategoryEncoding(8)"}, Shape{4}).find("gives 0 to 8"), std::string::npos);
  EXPECT_EQ(refusal({"Hashing(9)", "CategoryEncoding(9)"}, Shape{4}), "");
  EXPECT_NE(refusal({"IntegerLookup(vocabulary=[1, 2], invert=True)", "Embedding(3, 2)"}, Shape{1}), "");
  EXPECT_NE(refusal({"CategoryEncoding(3)"}, Shape({2, 2})).find("one axis"), std::string::npos);
}

TEST(ValueDemands, OfTheInputsAreKnown) {
  const auto demands = [](const std::vector<std::string>& layers) {
    std::vector<Json> specs;
    for (const std::string& layer : layers) specs.push_back(parse_call(layer));
    std::vector<std::string> names;
    const Sequential model("m", specs, Shape{2});
    for (const Layer* layer : model.input_demands()) names.push_back(layer->name());
    return names;
  };
  EXPECT_EQ(demands({"Dense(2)"}), std::vector<std::string>{});
  EXPECT_EQ(demands({"Embedding(9, 2)", "Flatten()", "Dense(2)"}), std::vector<std::string>{"embedding"});
  EXPECT_EQ(demands({"RepeatVector(2)", "Embedding(9, 2)"}), std::vector<std::string>{"embedding"});
  EXPECT_EQ(demands({"Hashing(4)", "Embedding(4, 2)"}), std::vector<std::string>{"hashing"});
}

TEST(ValueDemands, WhatIsNoIndexIsNotTaken) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* spec : {"Embedding(5, 1)", "CategoryEncoding(5)"}) {
    const auto layer = layers().make(parse_call(spec));
    for (const float good : {0.0F, 1.0F, 4.0F, -0.0F}) EXPECT_TRUE(layer->takes(good)) << spec << good;
    for (const float bad : {5.0F, -1.0F, 0.5F, 1e30F, -1e30F, nan, std::numeric_limits<float>::infinity()})
      EXPECT_FALSE(layer->takes(bad)) << spec << bad;
  }
  const auto closed = layers().make(parse_call("IntegerLookup(vocabulary=[7, 9], num_oov_indices=0)"));
  EXPECT_TRUE(closed->takes(9));
  EXPECT_FALSE(closed->takes(8));
  // Beyond 2^24 float32 has no longer every whole number.
  const auto hashing = layers().make(parse_call("Hashing(5)"));
  EXPECT_TRUE(hashing->takes(16777216.0F));
  EXPECT_FALSE(hashing->takes(16777218.0F));
}

TEST(PreprocessingLayers, RefuseWhatMakesNoSense) {
  for (const char* spec : {"CategoryEncoding()",
                           "CategoryEncoding(0)",
                           "CategoryEncoding(3, output_mode=\"int\")",
                           "Hashing(0)",
                           "Hashing(3, salt=[1])",
                           "Hashing(3, mask_value=1.5)",
                           "Discretization()",
                           "Discretization(num_bins=3)",
                           "Discretization([1.0, 0.0])",
                           "Discretization([0.0], output_mode=\"tf_idf\")",
                           "IntegerLookup()",
                           "IntegerLookup(vocabulary=[])",
                           "IntegerLookup(vocabulary=[1, 1])",
                           "IntegerLookup(vocabulary=[1.5])",
                           "IntegerLookup(vocabulary=[16777217])",
                           "IntegerLookup(vocabulary=[1, 2], max_tokens=2)",
                           "IntegerLookup(vocabulary=[1], num_oov_indices=-1)",
                           "IntegerLookup(vocabulary=[3, 0], mask_token=0)",
                           "IntegerLookup(vocabulary=[1], invert=True, output_mode=\"count\")",
                           "Embedding(0, 3)",
                           "Embedding(3, 0)",
                           "Embedding(3, 3, mask_zero=True)",
                           "IntegerLookup(vocabulary=[1], oov_method=\"md5\")"}) {
    EXPECT_THROW(layers().make(parse_call(spec)), InputError) << spec;
  }
}

}  // namespace
}  // namespace nntrain::nn
