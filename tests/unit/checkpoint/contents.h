#pragma once
// A small checkpoint for tests; `epoch` tells one from another.

#include <cmath>

#include "checkpoint/checkpoint.h"

namespace nntrain::checkpoint {

inline Contents contents_at(std::int64_t epoch) {
  Contents contents;
  contents.model_config = Json::parse(R"({"class_name":"Sequential","config":{"name":"m","layers":[]}})");
  contents.layer_names = {"flatten", "dense"};
  const auto value = static_cast<float>(epoch);
  contents.weights = {{"dense", "kernel", Shape{2, 3}, true, {1, -2, 3.5F, value, 5, 6e-30F}},
                      {"dense", "bias", Shape{3}, true, {0, -0.0F, value}}};
  contents.ours = true;
  contents.state = {epoch, 0, epoch * 10, 42, 8, false, 1.25};
  contents.history.columns = {{"loss", std::vector<double>(static_cast<std::size_t>(epoch), 0.5)}};
  contents.optimizer = "SGD";
  contents.slots = {{"momentum", {{1, 2, 3, 4, 5, value}, {7, 8, 9}}}};
  contents.optimizer_scalars = {0.125};
  contents.callbacks = Json::array();
  contents.config = "[fit]\nepochs = 5\n";
  contents.data = Json::parse(R"({"scale":0.5})");
  contents.environment = Json::parse(R"({"ranks":2})");
  return contents;
}

/// A checkpoint in which every field holds something.
inline Contents example() {
  Contents contents;
  contents.model_config = Json::parse(R"({"class_name":"Sequential","config":{"name":"m","layers":[]}})");
  contents.training_config =
      Json::parse(R"({"loss":"mean_squared_error","optimizer_config":{"class_name":"SGD","config":{}}})");
  contents.layer_names = {"flatten", "dense", "batch_normalization"};
  contents.weights = {{"dense", "kernel", Shape{2, 3}, true, {1, -2, 3.5F, 4, 5, 6e-30F}},
                      {"dense", "bias", Shape{3}, true, {0, -0.0F, 7}},
                      {"batch_normalization", "gamma", Shape{3}, true, {1, 1, 1}},
                      {"batch_normalization", "moving_mean", Shape{3}, false, {0.5F, 1, 2}}};
  contents.ours = true;
  contents.state = {3, 17, 5000, 42, 8, false, 1.25};
  contents.history.columns = {{"loss", {0.5, 0.25, 0.1}},
                              {"val_loss", {0.6, std::nan(""), 0.2}},
                              {"epoch", {1, 2, 3}},
                              {"seconds", {1, 1, 1}}};
  contents.optimizer = "SGD";
  contents.slots = {{"momentum", {{1, 2, 3, 4, 5, 6}, {7, 8, 9}, {0, 0, 1}}}};
  contents.optimizer_scalars = {0.125};
  contents.metric_sums = {{1, 2, 3, 4}, 2};
  contents.callbacks = Json::parse(R"([{"class_name":"EarlyStopping","state":{"wait":2,"best":0.1}}])");
  contents.config = "[fit]\nepochs = 5\n";
  contents.data = Json::parse(R"({"scale":0.00392156862745098})");
  contents.environment = Json::parse(R"({"ranks":2})");
  contents.extra_weights = {{"early_stopping", contents.weights}};
  return contents;
}

}  // namespace nntrain::checkpoint
