#include "nn/model/value_check.h"

#include "core/error.h"

namespace nntrain::nn {

bool asks_the_inputs(const std::vector<std::unique_ptr<Layer>>& layers, std::size_t at) {
  const Layer& asks = *layers[at];
  if (asks.value_demand().empty()) return false;
  std::size_t source = at;
  while (source > 0 && layers[source - 1]->keeps_values()) --source;
  if (source == 0) return true;
  const Layer& gives = *layers[source - 1];
  const std::string what = "layer \"" + asks.name() + "\" takes " + asks.value_demand() + ", but layer \"" +
                           gives.name() + "\" before it gives ";
  if (gives.output_indices() == 0) throw InputError(what + "other numbers, too");
  for (std::int64_t i = 0; i < gives.output_indices(); ++i) {
    if (!asks.takes(static_cast<float>(i)))
      throw InputError(what + "0 to " + std::to_string(gives.output_indices() - 1));
  }
  return false;
}

bool takes_text(const std::vector<std::unique_ptr<Layer>>& layers, std::size_t at, bool sees_inputs,
                bool text) {
  Layer& layer = *layers[at];
  const Layer::Text wish = layer.takes_text();
  if (!sees_inputs) {
    if (wish != Layer::Text::kAlways) return false;
    throw InputError("layer \"" + layer.name() + "\" takes text, but layer \"" + layers[at - 1]->name() +
                     "\" before it gives numbers; it must come first, or behind Flatten and its like");
  }
  if (layer.keeps_values() && at + 1 < layers.size()) return false;
  if (wish == Layer::Text::kAlways) return true;
  if (!text) return false;
  if (wish == Layer::Text::kNever)
    throw InputError("layer \"" + layer.name() +
                     "\" takes numbers, but Input(..., dtype=\"string\") gives text; StringLookup makes "
                     "indices of text");
  layer.take_text();
  return true;
}

}  // namespace nntrain::nn
