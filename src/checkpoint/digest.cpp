#include "checkpoint/digest.h"

#include "core/sha256.h"

namespace nntrain::checkpoint {

namespace {

template <class T>
void add_values(Sha256& sha, const std::vector<T>& values) {
  sha.add(std::as_bytes(std::span<const T>(values)));
}

/// Every piece is led by its name, so that bytes cannot move from one piece to the next unseen.
void add_text(Sha256& sha, const std::string& name, const std::string& text) {
  sha.add_text(name + ":" + std::to_string(text.size()) + "\n");
  sha.add_text(text);
}

void add_weight(Sha256& sha, const WeightArray& weight) {
  sha.add_text(weight.layer + "/" + weight.name + " " + weight.shape.to_string() + "\n");
  add_values(sha, weight.values);
}

}  // namespace

std::string weights_digest(const std::vector<WeightArray>& weights) {
  Sha256 sha;
  for (const WeightArray& weight : weights) add_weight(sha, weight);
  return sha.hex();
}

std::string payload_digest(const Contents& contents) {
  Sha256 sha;
  const RunState& s = contents.state;
  add_text(sha, "model_config", json_text(contents.model_config));
  add_text(sha, "training_config", json_text(contents.training_config));
  for (const WeightArray& weight : contents.weights) add_weight(sha, weight);
  add_text(sha, "state",
           std::to_string(s.epoch) + " " + std::to_string(s.step) + " " + std::to_string(s.iteration) + " " +
               std::to_string(s.seed) + " " + std::to_string(s.shards) + " " + (s.finished ? "1" : "0"));
  add_values(sha, std::vector<double>{s.epoch_seconds});
  for (const auto& [name, column] : contents.history.columns) {
    add_text(sha, "history", name);
    add_values(sha, column);
  }
  add_text(sha, "optimizer", contents.optimizer);
  for (const Slot& slot : contents.slots) {
    add_text(sha, "slot", slot.name);
    for (const std::vector<float>& values : slot.values) add_values(sha, values);
  }
  add_text(sha, "scalars", "");
  add_values(sha, contents.optimizer_scalars);
  add_text(sha, "metric_sums", std::to_string(contents.metric_width));
  add_values(sha, contents.metric_sums);
  add_text(sha, "callbacks", json_text(contents.callbacks));
  add_text(sha, "config", contents.config);
  add_text(sha, "data", json_text(contents.data));
  add_text(sha, "environment", json_text(contents.environment));
  for (const auto& [name, weights] : contents.extra_weights) {
    add_text(sha, "extra", name);
    for (const WeightArray& weight : weights) add_weight(sha, weight);
  }
  return sha.hex();
}

}  // namespace nntrain::checkpoint
