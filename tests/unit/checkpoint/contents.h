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

}  // namespace nntrain::checkpoint
