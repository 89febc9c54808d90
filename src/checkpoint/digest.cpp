#include "checkpoint/digest.h"

#include <type_traits>

#include "checkpoint/fields.h"
#include "core/error.h"
#include "core/in_parallel.h"

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

void add_name(Sha256& sha, const WeightArray& weight) {
  sha.add_text(weight.layer + "/" + weight.name + " " + weight.shape.to_string() + "\n");
}

void add_weight(Sha256& sha, const WeightArray& weight) {
  add_name(sha, weight);
  add_values(sha, weight.values);
}

/// Tells each hash's task where its arrays are and where its result goes; the tasks are then done at once.
class ArrayTasks {
 public:
  ArrayTasks(const AddArray& add_array, ArrayDigests& digests) : add_array_(add_array), digests_(digests) {}

  void operator()(const char*, const std::vector<WeightArray>& weights) { add(weights, digests_.weights); }
  void operator()(const char*, const std::vector<Slot>& slots) {
    for (const Slot& slot : slots) digests_.slots.emplace_back(slot.values.size());
    for (std::vector<std::string>& slot : digests_.slots) {
      for (std::string& digest : slot) {
        tasks_.emplace_back([this, index = next_++, &digest] {
          Sha256 sha;
          add_array_(index, sha);
          digest = sha.hex();
        });
      }
    }
  }
  void operator()(const char*, const KeptWeights& kept) {
    digests_.kept.resize(kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) add(kept[i].second, digests_.kept[i]);
  }
  template <class T>
  void operator()(const char*, const T&) {}  // no array of weights

  void run() const { in_parallel(tasks_); }

 private:
  void add(const std::vector<WeightArray>& weights, std::string& digest) {
    tasks_.emplace_back([this, first = next_, &weights, &digest] {
      Sha256 sha;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        add_name(sha, weights[i]);
        add_array_(first + i, sha);
      }
      digest = sha.hex();
    });
    next_ += weights.size();
  }

  const AddArray& add_array_;
  ArrayDigests& digests_;
  std::size_t next_ = 0;
  std::vector<std::function<void()>> tasks_;
};

/// One overload for each type of field; each piece says where it ends. `arrays` null: rule 1, their bytes.
struct Hasher {
  Sha256& sha;
  const ArrayDigests* arrays;

  void operator()(const char* name, const Json& value) const { add_text(sha, name, json_text(value)); }
  void operator()(const char* name, const std::string& value) const { add_text(sha, name, value); }
  void operator()(const char* name, const std::vector<WeightArray>& weights) const {
    if (arrays != nullptr) return add_text(sha, name, arrays->weights);
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
    for (std::size_t i = 0; i < slots.size(); ++i) {
      add_text(sha, "slot", slots[i].name);
      for (std::size_t k = 0; k < slots[i].values.size(); ++k) {
        if (arrays != nullptr) {
          add_text(sha, "array", arrays->slots[i][k]);
        } else {
          add_values(sha, slots[i].values[k]);
        }
      }
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
  void operator()(const char*, const KeptWeights& kept) const {
    for (std::size_t i = 0; i < kept.size(); ++i) {
      add_text(sha, "extra", kept[i].first);
      if (arrays != nullptr) {
        add_text(sha, "weights", arrays->kept[i]);
      } else {
        for (const WeightArray& weight : kept[i].second) add_weight(sha, weight);
      }
    }
  }
};

}  // namespace

std::string weights_digest(const std::vector<WeightArray>& weights) {
  Sha256 sha;
  for (const WeightArray& weight : weights) add_weight(sha, weight);
  return sha.hex();
}

ArrayDigests array_digests(const Contents& contents, const AddArray& add_array) {
  ArrayDigests arrays;
  ArrayTasks tasks(add_array, arrays);
  each_field(contents, tasks);
  tasks.run();
  return arrays;
}

ArrayDigests array_digests(const Contents& contents) {
  const std::vector<const std::vector<float>*> arrays = arrays_of(contents);
  return array_digests(contents, [&](std::size_t index, Sha256& sha) { add_values(sha, *arrays[index]); });
}

Digests digests_of(const Contents& contents, const ArrayDigests& arrays) {
  Sha256 sha;
  add_text(sha, "digest_rule", std::to_string(kDigestRule));
  each_field(contents, Hasher{sha, &arrays});
  return {arrays.weights, sha.hex()};
}

std::vector<const std::vector<float>*> arrays_of(const Contents& contents) {
  std::vector<const std::vector<float>*> arrays;
  for (const WeightArray& weight : contents.weights) arrays.push_back(&weight.values);
  for (const Slot& slot : contents.slots) {
    for (const std::vector<float>& values : slot.values) arrays.push_back(&values);
  }
  for (const auto& [set, weights] : contents.extra_weights) {
    for (const WeightArray& weight : weights) arrays.push_back(&weight.values);
  }
  return arrays;
}

std::string payload_digest(const Contents& contents, int rule) {
  if (rule == kDigestRule) return digests_of(contents, array_digests(contents)).payload;
  if (rule != 1) throw RuntimeError("internal: digest rule " + std::to_string(rule));
  Sha256 sha;
  each_field(contents, Hasher{sha, nullptr});
  return sha.hex();
}

}  // namespace nntrain::checkpoint
