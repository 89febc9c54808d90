#include "checkpoint/digest.h"

#include <type_traits>

#include "checkpoint/fields.h"
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

/// One overload for each type of field; each piece says where it ends.
struct Hasher {
  Sha256& sha;

  void operator()(const char* name, const Json& value) const { add_text(sha, name, json_text(value)); }
  void operator()(const char* name, const std::string& value) const { add_text(sha, name, value); }
  void operator()(const char*, const std::vector<WeightArray>& weights) const {
    for (const WeightArray& weight : weights) add_weight(sha, weight);
  }
  void operator()(const char* name, const RunState& state) const {
    std::string integers;
    std::vector<double> reals;
    each_state_field(state, [&](const char*, const auto& value) {
      if constexpr (std::is_floating_point_v<std::decay_t<decltype(value)>>) {
        reals.push_back(value);
      } else {
        integers += (integers.empty() ? "" : " ") + std::to_string(value);
      }
    });
    add_text(sha, name, integers);
    add_values(sha, reals);
  }
  void operator()(const char* name, const History& history) const {
    for (const auto& [column, values] : history.columns) {
      add_text(sha, name, column);
      add_values(sha, values);
    }
  }
  void operator()(const char*, const std::vector<Slot>& slots) const {
    for (const Slot& slot : slots) {
      add_text(sha, "slot", slot.name);
      for (const std::vector<float>& values : slot.values) add_values(sha, values);
    }
  }
  void operator()(const char* name, const std::vector<double>& values) const {
    add_text(sha, name, "");
    add_values(sha, values);
  }
  void operator()(const char* name, const MetricSums& sums) const {
    add_text(sha, name, std::to_string(sums.width));
    add_values(sha, sums.values);
  }
  void operator()(const char* name, const KeptWeights& kept) const {
    for (const auto& [set, weights] : kept) {
      add_text(sha, "extra", set);
      (*this)(name, weights);
    }
  }
};

}  // namespace

std::string weights_digest(const std::vector<WeightArray>& weights) {
  Sha256 sha;
  for (const WeightArray& weight : weights) add_weight(sha, weight);
  return sha.hex();
}

std::string payload_digest(const Contents& contents) {
  Sha256 sha;
  each_field(contents, Hasher{sha});
  return sha.hex();
}

}  // namespace nntrain::checkpoint
