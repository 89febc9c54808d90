#include "checkpoint/keras_optimizer.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/registry.h"

namespace nntrain::checkpoint {

namespace {

/// One state array a variable: our name, the end of Keras 3's, the last part of Keras 2's.
struct SlotNames {
  const char *ours, *keras, *old;
};
/// Slots that take turns, variable by variable.
using Group = std::vector<SlotNames>;

double number(const Json& config, const char* key) {
  const Json value = config.value(key, Json());
  return value.is_number() ? value.get<double>() : 0.0;
}
bool flag(const Json& config, const char* key) { return config.value(key, Json()) == true; }

/// keras/src/optimizers/*.py, build(): the order in which variables are made. Nothing: not known here.
std::optional<std::vector<Group>> groups_of(const std::string& name, const Json& config) {
  std::vector<Group> groups;
  if (flag(config, "use_ema")) groups.push_back({{"ema", "average", "average"}});
  if (number(config, "gradient_accumulation_steps") > 0)
    groups.push_back({{"accumulator", "gradient_accumulator", "gradient_accumulator"}});
  if (name == "SGD") {
    if (number(config, "momentum") != 0) groups.push_back({{"momentum", "momentum", "momentum"}});
  } else if (name == "Adam" || name == "AdamW" || name == "Nadam" || name == "LAMB" || name == "Lamb") {
    groups.push_back({{"m", "momentum", "m"}, {"v", "velocity", "v"}});
    if (flag(config, "amsgrad")) groups.push_back({{"v_hat", "velocity_hat", "vhat"}});
  } else if (name == "Adamax") {
    groups.push_back({{"m", "momentum", "m"}, {"u", "norm", "v"}});
  } else if (name == "Lion") {
    groups.push_back({{"m", "momentum", "m"}});
  } else if (name == "RMSprop") {
    groups.push_back({{"velocity", "velocity", "rms"}});
    if (number(config, "momentum") > 0) groups.push_back({{"momentum", "momentum", "momentum"}});
    if (flag(config, "centered")) groups.push_back({{"average", "average_gradient", "mg"}});
  } else if (name == "Adagrad") {
    groups.push_back({{"sum", "accumulator", "accumulator"}});
  } else if (name == "Adadelta") {
    groups.push_back(
        {{"gradients", "accumulated_grad", "accum_grad"}, {"updates", "accumulated_delta_var", "accum_var"}});
  } else if (name == "Ftrl") {
    groups.push_back(
        {{"accumulator_of_squares", "accumulator", "accumulator"}, {"linear", "linear", "linear"}});
  } else {
    return std::nullopt;
  }
  return groups;
}

std::vector<const WeightArray*> trainables_of(const Contents& contents) {
  std::vector<const WeightArray*> all;
  for (const WeightArray& weight : contents.weights) {
    if (weight.trainable) all.push_back(&weight);
  }
  return all;
}

bool has_schedule(const Json& config) { return config.value("learning_rate", Json()).is_object(); }

/// Keras up to 2.10 wrote slot after slot ("Adam/dense/kernel/m:0"); the names bring them into today's order.
void sort_old_names(const std::vector<Group>& groups, std::vector<OptimizerArray>& arrays) {
  const auto ends = [](const std::string& name, const std::string& part) {
    return name.substr(0, name.find(':')).ends_with("/" + part);
  };
  std::vector<OptimizerArray> sorted;
  for (const Group& group : groups) {
    std::vector<std::vector<OptimizerArray>> found(group.size());
    for (std::size_t k = 0; k < group.size(); ++k) {
      for (const OptimizerArray& array : arrays) {
        if (ends(array.name, group[k].old)) found[k].push_back(array);
      }
      if (found[k].empty() || found[k].size() != found[0].size()) return;  // not of that kind
    }
    for (std::size_t i = 0; i < found[0].size(); ++i) {
      for (auto& column : found) sorted.push_back(column[i]);
    }
  }
  if (sorted.size() == arrays.size()) arrays = std::move(sorted);
}

}  // namespace

void take_optimizer_state(const Json& optimizer, std::vector<OptimizerArray> arrays, Contents& contents) {
  if (!optimizer.is_object() || arrays.empty()) return;
  std::string name;
  try {
    name = detail::spec_name("optimizer", optimizer);
  } catch (const InputError&) {
    return;  // whoever needs the optimizer says what is wrong with it
  }
  const Json config = optimizer.value("config", Json::object());
  const auto groups = groups_of(name, config);
  const std::vector<const WeightArray*> trainables = trainables_of(contents);
  const auto refuse = [&](const std::string& why) {
    contents.notes.push_back("the state of the file's optimizer (" + name +
                             ") is not taken, it starts as new: " + why);
  };
  if (!groups) return refuse("its layout is not known");
  const auto is_scalar = [](const OptimizerArray& array) { return array.values.size() == 1; };
  std::size_t per_variable = 0;
  for (const Group& group : *groups) per_variable += group.size();
  const std::size_t slots = per_variable * trainables.size();
  const std::size_t tail = name == "Nadam" ? 1 : 0;
  // iteration, then the learning rate where it is a variable (Keras 3; not in 2.11, not with a schedule).
  const std::size_t others = arrays.size() >= slots ? arrays.size() - slots : 0;
  const std::size_t head = others >= tail ? others - tail : 0;
  if (head < 1 || head > 2 || others != head + tail || !is_scalar(arrays[0]))
    return refuse("it has " + std::to_string(arrays.size()) + " arrays for " +
                  std::to_string(trainables.size()) + " trainable weights");
  const double iteration = arrays[0].values[0];
  if (!(iteration >= 0 && iteration < 1e15)) return refuse("its iteration is no count");
  std::optional<double> rate;
  if (head == 2 && is_scalar(arrays[1])) rate = arrays[1].values[0];
  std::vector<double> scalars;
  if (tail == 1) scalars.push_back(arrays.back().values.empty() ? 1.0 : arrays.back().values[0]);
  arrays.erase(arrays.begin(), arrays.begin() + static_cast<std::ptrdiff_t>(head));
  arrays.resize(slots);
  sort_old_names(*groups, arrays);

  std::vector<Slot> taken;
  std::size_t at = 0;
  for (const Group& group : *groups) {
    const std::size_t first = taken.size();
    for (const SlotNames& names : group) taken.push_back({names.ours, {}});
    for (const WeightArray* weight : trainables) {
      for (std::size_t k = 0; k < group.size(); ++k) {
        const OptimizerArray& array = arrays[at++];
        if (array.shape != weight->shape)
          return refuse("an array of shape " + array.shape.to_string() + " stands for " + weight->layer +
                        "/" + weight->name + " of shape " + weight->shape.to_string());
        taken[first + k].values.emplace_back(array.values.begin(), array.values.end());
      }
    }
  }
  contents.slots = std::move(taken);
  contents.optimizer = name;
  contents.state.iteration = static_cast<std::int64_t>(iteration);
  contents.optimizer_scalars = std::move(scalars);
  const double configured = number(config, "learning_rate");
  contents.optimizer_scalars.push_back(rate.value_or(configured));
}

std::vector<OptimizerArray> keras_optimizer_arrays(const Json& optimizer, const Contents& contents) {
  const std::string name = detail::spec_name("optimizer", optimizer);
  const Json config = optimizer.value("config", Json::object());
  const auto groups = groups_of(name, config);
  if (!groups) return {};
  const auto scalar = [](double value) { return OptimizerArray{"", Shape{}, {value}}; };
  std::vector<OptimizerArray> arrays = {scalar(static_cast<double>(contents.state.iteration))};
  if (!has_schedule(config)) {
    const bool kept = !contents.optimizer_scalars.empty();
    arrays.push_back(scalar(kept ? contents.optimizer_scalars.back() : number(config, "learning_rate")));
  }
  const std::vector<const WeightArray*> trainables = trainables_of(contents);
  for (const Group& group : *groups) {
    std::vector<const Slot*> slots;
    for (const SlotNames& names : group) {
      const auto found = std::find_if(contents.slots.begin(), contents.slots.end(),
                                      [&](const Slot& slot) { return slot.name == names.ours; });
      if (found == contents.slots.end() || found->values.size() != trainables.size()) return {};
      slots.push_back(&*found);
    }
    for (std::size_t i = 0; i < trainables.size(); ++i) {
      for (const Slot* slot : slots) {
        const std::vector<float>& values = slot->values[i];
        arrays.push_back({"", trainables[i]->shape, std::vector<double>(values.begin(), values.end())});
      }
    }
  }
  if (name == "Nadam") {
    if (contents.optimizer_scalars.size() < 2) return {};
    arrays.push_back(scalar(contents.optimizer_scalars[0]));
  }
  return arrays;
}

}  // namespace nntrain::checkpoint
