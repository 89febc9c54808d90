#include "train/run/learned_layers.h"

#include <vector>

#include "core/error.h"
#include "nn/layers/input_layer.h"
#include "nn/layers/layer.h"
#include "nn/layers/learned_spec.h"
#include "nn/layers/text_demand.h"

namespace nntrain::train {

namespace {

bool keeps_values(const Json& spec) { return nn::is_input(spec) || nn::layers().make(spec)->keeps_values(); }

std::vector<float> training_values(const DataSets& data) {
  std::vector<float> values(static_cast<std::size_t>(data.train.rows() * data.train.inputs.sample_size));
  const data::Sampler in_order(data.train.rows(), 0, 0, data::Order::kFile);
  data::gather(data.train.inputs, in_order, 0, data.train.rows(), data.scale, values.data());
  return values;
}

}  // namespace

void learn_layers(comm::Session& session, ModelSource& source, const DataSets& data) {
  std::string found;
  comm::collectively(session, "learn layers", [&] {
    Json all = Json::object();
    bool sees_inputs = true;
    for (std::size_t i = 0; i < source.layers.size() && sees_inputs; ++i) {
      const Json spec = nn::layers().canonical(source.layers[i]);
      if (nn::learns_from_data(spec) && !data.vocabulary.empty()) {
        if (session.is_root()) all[std::to_string(i)] = nn::with_vocabulary(spec, data.vocabulary);
        sees_inputs = false;
      } else if (nn::learns_from_data(spec)) {
        if (data.train.stream != nullptr)
          throw InputError(
              "a layer " + spec["class_name"].get<std::string>() +
              " that learns from the training rows needs all of them in memory: give data.memory = resident, "
              "or write its vocabulary or bin_boundaries into the layer");
        if (session.is_root()) all[std::to_string(i)] = nn::learned(spec, training_values(data));
        sees_inputs = false;
      } else {
        sees_inputs = keeps_values(spec);
      }
    }
    found = all.dump();
  });
  const Json all = Json::parse(session.broadcast_text(found));
  for (const auto& [place, spec] : all.items()) source.layers[std::stoul(place)] = spec;
}

}  // namespace nntrain::train
