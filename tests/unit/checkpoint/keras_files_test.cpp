// What Keras' files say, in all its spellings: models, training_config, optimizer state.

#include <gtest/gtest.h>

#include "checkpoint/flat_model.h"
#include "checkpoint/keras.h"
#include "checkpoint/keras_optimizer.h"
#include "core/error.h"

namespace nntrain::checkpoint {
namespace {

Json dense(const std::string& name) {
  return {{"class_name", "Dense"}, {"config", {{"name", name}, {"units", 3}}}};
}
Json sequential(const std::string& name, const Json& layers) {
  return {{"class_name", "Sequential"}, {"config", {{"name", name}, {"layers", layers}}}};
}
std::string error_of(const Json& model) {
  try {
    flat_model(model);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(FlatModel, NestedModelsBecomeOneWithUniqueNames) {
  const FlatModel model =
      flat_model(sequential("m", {dense("a"), sequential("inner", {dense("a"), dense("b")}), dense("c"),
                                  sequential("more", Json::array({dense("b")}))}));
  std::vector<std::string> names, stores, outers;
  for (const FlatLayer& layer : model.layers) {
    names.push_back(layer.name);
    stores.push_back(layer.store);
    outers.push_back(layer.outer);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a", "inner_a", "b", "c", "more_b"}));
  EXPECT_EQ(outers, (std::vector<std::string>{"a", "inner", "inner", "c", "more"}));
  EXPECT_EQ(stores, (std::vector<std::string>{"layers/dense", "layers/sequential/layers/dense",
                                              "layers/sequential/layers/dense_1", "layers/dense_1",
                                              "layers/sequential_1/layers/dense"}));
  EXPECT_EQ(model.config["config"]["layers"].size(), 5U);
}

TEST(FlatModel, GroupsOfAStoreAreNamedAsInKeras) {
  for (const auto& [class_name, group] :
       std::vector<std::pair<std::string, std::string>>{{"ReLU", "re_lu"},
                                                        {"PReLU", "p_re_lu"},
                                                        {"ELU", "elu"},
                                                        {"BatchNormalization", "batch_normalization"},
                                                        {"RMSNormalization", "rms_normalization"},
                                                        {"LeakyReLU", "leaky_re_lu"}}) {
    const FlatModel model =
        flat_model(sequential("m", {{{"class_name", class_name}, {"config", {{"name", "x"}}}}}));
    EXPECT_EQ(model.layers.at(0).store, "layers/" + group);
  }
}

Json functional(Json second_inputs) {
  Json input = {{"class_name", "InputLayer"},
                {"name", "in"},
                {"config", {{"batch_input_shape", {nullptr, 4}}}},
                {"inbound_nodes", Json::array()}};
  Json first = dense("one"), second = dense("two");
  first["name"] = "one";
  second["name"] = "two";
  first["inbound_nodes"] = Json::parse(R"([[["in", 0, 0, {}]]])");
  second["inbound_nodes"] = std::move(second_inputs);
  return {{"class_name", "Functional"},
          {"config",
           {{"name", "f"},
            {"layers", {second, input, first}},
            {"input_layers", Json::parse(R"([["in", 0, 0]])")},
            {"output_layers", Json::parse(R"([["two", 0, 0]])")}}}};
}

TEST(FlatModel, FunctionalChainsOfKeras2And3) {
  const FlatModel old = flat_model(functional(Json::parse(R"([[["one", 0, 0, {"training": null}]]])")));
  ASSERT_EQ(old.layers.size(), 2U);
  EXPECT_EQ(old.layers[0].name, "one");
  const FlatModel modern = flat_model(functional(Json::parse(
      R"([{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":["one",0,0]}}],"kwargs":{"training":false}}])")));
  EXPECT_EQ(modern.layers[1].name, "two");
}

TEST(FlatModel, WhatIsNoChainIsOneErrorThatNamesTheLayer) {
  EXPECT_NE(
      error_of(functional(Json::parse(R"([[["one",0,0,{}],["in",0,0,{}]]])"))).find("\"two\" has 2 inputs"),
      std::string::npos);
  EXPECT_NE(error_of(functional(Json::parse(R"([[["in",0,0,{}]]])"))).find("\"one\""), std::string::npos);
  EXPECT_NE(error_of(functional(Json::parse(R"([[["one",0,0,{}]],[["one",0,0,{}]]])")))
                .find("\"two\" is used 2 times"),
            std::string::npos);
  EXPECT_NE(error_of(functional(Json::parse(R"([[["one",0,0,{"training":true}]]])"))).find("training"),
            std::string::npos);
  EXPECT_NE(error_of(functional(Json::parse(R"([[["two",0,0,{}]]])"))), "");
  EXPECT_NE(error_of({{"class_name", "MyModel"}, {"config", Json::object()}}).find("MyModel"),
            std::string::npos);
  Json deep = dense("x");
  for (int i = 0; i < 40; ++i) deep = sequential("s" + std::to_string(i), Json::array({deep}));
  EXPECT_NE(error_of(deep).find("too deeply"), std::string::npos);
}

/// Every value of a model is replaced by one of another kind: a flat model or an InputError, nothing else.
void replace_each(const Json& whole, const Json& with) {
  const Json flat = whole.flatten();
  for (const auto& [place, value] : flat.items()) {
    for (std::string path = place; !path.empty(); path = path.substr(0, path.rfind('/'))) {
      Json model = whole;
      model[Json::json_pointer(path)] = with;
      error_of(model);
    }
  }
}

TEST(FlatModel, ValuesOfAnyKindEndInAnError) {
  const Json models[] = {
      sequential("m", {dense("a"), sequential("inner", {dense("a"), dense("b")})}),
      functional(Json::array({Json::array({Json::array({"in", 0, 0, Json::object()})})})),
      functional(Json::array({{{"args", Json::array({{{"class_name", "__keras_tensor__"},
                                                      {"config", {{"keras_history", {"in", 0, 0}}}}}})},
                               {"kwargs", Json::object()}}}))};
  const Json others[] = {nullptr,        3, "config", Json::array(), Json::object(), Json::array({"a", 1}),
                         {{"layers", 1}}};
  for (const Json& model : models) {
    for (const Json& other : others) replace_each(model, other);
  }
}

TEST(TrainingConfig, SpellingsOfKeras2) {
  const KerasCompile compile = compile_from_keras(Json::parse(R"({
    "loss": {"out": {"class_name": "LossFunctionWrapper", "config": {"fn": "mean_squared_error", "reduction": "auto"}}},
    "loss_weights": [2.0],
    "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "acc", "dtype": "float32", "fn": "binary_accuracy"}},
                 {"class_name": "MeanMetricWrapper", "config": {"fn": "accuracy"}}, null]],
    "weighted_metrics": {"out": ["mae"]},
    "optimizer_config": {"class_name": "Custom>SGD", "config": {"lr": 0.1, "decay": 0.5, "momentum": 0.9}}})"));
  EXPECT_EQ(compile.loss["class_name"], "mean_squared_error");
  EXPECT_EQ(compile.loss["config"]["reduction"], "sum_over_batch_size");
  EXPECT_EQ(compile.loss_weights, 2.0);
  ASSERT_EQ(compile.metrics.size(), 2U);
  EXPECT_EQ(compile.metrics[0]["class_name"], "binary_accuracy");
  EXPECT_EQ(compile.metrics[0]["config"]["name"], "acc");
  EXPECT_EQ(compile.metrics[1], "accuracy");
  EXPECT_EQ(compile.weighted_metrics.at(0), "mae");
  const Json& rate = compile.optimizer["config"]["learning_rate"];
  EXPECT_EQ(rate["class_name"], "InverseTimeDecay");
  EXPECT_EQ(rate["config"]["decay_rate"], 0.5);
  EXPECT_FALSE(compile.optimizer["config"].contains("lr"));
}

Contents two_weights() {
  Contents contents;
  contents.weights = {{"d", "kernel", Shape{2}, true, {0, 0}},
                      {"d", "bias", Shape{1}, true, {0}},
                      {"b", "moving_mean", Shape{1}, false, {0}}};
  return contents;
}

TEST(OptimizerState, AdamOfKeras3AndKeras2) {
  const Json adam = {{"class_name", "Adam"}, {"config", {{"learning_rate", 0.5}}}};
  Contents modern = two_weights();
  take_optimizer_state(
      adam,
      {{"", {}, {7}}, {"", {}, {0.25}}, {"", {2}, {1, 2}}, {"", {2}, {3, 4}}, {"", {1}, {5}}, {"", {1}, {6}}},
      modern);
  EXPECT_EQ(modern.state.iteration, 7);
  ASSERT_EQ(modern.slots.size(), 2U);
  EXPECT_EQ(modern.slots[0].name, "m");
  EXPECT_EQ(modern.slots[1].values, (std::vector<std::vector<float>>{{3, 4}, {6}}));
  EXPECT_EQ(modern.optimizer_scalars, std::vector<double>{0.25});
  Contents old = two_weights();
  take_optimizer_state(adam,
                       {{"Adam/iter:0", {}, {7}},
                        {"Adam/d/kernel/m:0", {2}, {1, 2}},
                        {"Adam/d/bias/m:0", {1}, {5}},
                        {"Adam/d/kernel/v:0", {2}, {3, 4}},
                        {"Adam/d/bias/v:0", {1}, {6}}},
                       old);
  ASSERT_EQ(old.slots.size(), 2U);
  EXPECT_EQ(old.slots[1].values, modern.slots[1].values);
  EXPECT_EQ(old.optimizer_scalars, std::vector<double>{0.5});
}

TEST(OptimizerState, WhatDoesNotFitIsLeftOutAndSaid) {
  const Json adam = {{"class_name", "Adam"}, {"config", Json::object()}};
  Contents contents = two_weights();
  take_optimizer_state(adam, {{"", {}, {7}}, {"", {}, {0.25}}, {"", {2}, {1, 2}}}, contents);
  EXPECT_TRUE(contents.slots.empty());
  EXPECT_EQ(contents.notes.size(), 1U);
  take_optimizer_state({{"class_name", "Adafactor"}, {"config", Json::object()}}, {{"", {}, {7}}}, contents);
  EXPECT_EQ(contents.notes.size(), 2U);
}

TEST(OptimizerState, ThereAndBack) {
  const OptimizerArray step{"", {}, {3}}, rate{"", {}, {0.25}}, kernel{"", {2}, {1, 2}}, bias{"", {1}, {5}},
      product{"", {}, {0.5}};
  // A group of slots takes turns variable by variable, a single slot runs through the variables.
  const std::vector<OptimizerArray> single = {kernel, bias}, pair = {kernel, kernel, bias, bias};
  const auto joined = [](std::vector<std::vector<OptimizerArray>> parts) {
    std::vector<OptimizerArray> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const std::vector<std::pair<const char*, std::vector<OptimizerArray>>> cases = {
      {R"({"class_name":"SGD","config":{"learning_rate":0.1,"momentum":0.9}})",
       joined({{step, rate}, single})},
      {R"({"class_name":"Adam","config":{"learning_rate":0.1,"amsgrad":true,"use_ema":true}})",
       joined({{step, rate}, single, pair, single})},
      {R"({"class_name":"RMSprop","config":{"learning_rate":{"class_name":"X"},"momentum":0.9,"centered":true}})",
       joined({{step}, single, single, single})},
      {R"({"class_name":"Nadam","config":{"learning_rate":0.1,"gradient_accumulation_steps":2}})",
       joined({{step, rate}, single, pair, {product}})}};
  for (const auto& [text, arrays] : cases) {
    const Json optimizer = Json::parse(text);
    Contents contents = two_weights();
    take_optimizer_state(optimizer, arrays, contents);
    ASSERT_FALSE(contents.slots.empty()) << text;
    const std::vector<OptimizerArray> back = keras_optimizer_arrays(optimizer, contents);
    ASSERT_EQ(back.size(), arrays.size()) << text;
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i].values, arrays[i].values) << text << i;
  }
}

/// Older versions of Keras (2.15; 3.9 and before) refuse a whole file for one argument that they do not know.
TEST(KerasCompile, WhatGoesWithoutSayingIsLeftOut) {
  const Json loss = Json::parse(R"({"class_name": "SparseCategoricalCrossentropy", "config": {
      "from_logits": false, "ignore_class": null, "reduction": "sum_over_batch_size", "axis": -1, "name": null}})");
  const Json optimizer =
      Json::parse(R"({"class_name": "SGD", "config": {"learning_rate": 0.5, "momentum": 0.0,
      "weight_decay": null, "use_ema": false, "ema_momentum": 0.99}})");
  const Json metric = Json::parse(R"({"class_name": "SparseTopKCategoricalAccuracy", "config": {
      "k": 2, "name": "top", "from_sorted_ids": false}})");
  const Json plain = keras_training_config(loss, optimizer, {metric}, {});
  EXPECT_EQ(plain["loss"]["config"], Json::object());
  EXPECT_EQ(plain["optimizer_config"]["config"],
            Json::parse(R"({"learning_rate": 0.5, "momentum": 0.0, "name": "SGD"})"));
  EXPECT_EQ(plain["metrics"][0]["config"], Json::parse(R"({"k": 2, "name": "top"})"));
  EXPECT_EQ(without_what_goes_without_saying(plain), plain);
  // What does not go without saying stays.
  const Json special = keras_training_config(
      Json::parse(R"({"class_name": "CategoricalCrossentropy", "config": {"from_logits": true, "axis": -1,
                      "label_smoothing": 0.1, "reduction": "sum"}})"),
      Json::parse(R"({"class_name": "Adam", "config": {"use_ema": true, "ema_momentum": 0.9}})"), {}, {});
  EXPECT_EQ(special["loss"]["config"],
            Json::parse(R"({"from_logits": true, "label_smoothing": 0.1, "reduction": "sum"})"));
  EXPECT_EQ(special["optimizer_config"]["config"],
            Json::parse(R"({"use_ema": true, "ema_momentum": 0.9, "name": "Adam"})"));
  // None for some losses, the last axis for the others: each where it is the default.
  const auto loss_config = [&](const char* text) {
    return keras_training_config(Json::parse(text), optimizer, {}, {})["loss"]["config"];
  };
  EXPECT_EQ(loss_config(R"({"class_name": "Dice", "config": {"axis": null}})"), Json::object());
  EXPECT_EQ(loss_config(R"({"class_name": "Tversky", "config": {"axis": -1}})"),
            Json::parse(R"({"axis": -1})"));
  // In files that were written with them, on their way out.
  Json old = plain;
  old["loss"]["config"] = loss["config"];
  old["optimizer_config"]["config"]["use_ema"] = false;
  EXPECT_EQ(without_what_goes_without_saying(old), plain);
}

}  // namespace
}  // namespace nntrain::checkpoint
