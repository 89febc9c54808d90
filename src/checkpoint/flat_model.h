#pragma once
// Keras' models without their nesting: what a file's model_config describes, as one Sequential model.

#include <string>
#include <vector>

#include "core/json.h"

namespace nntrain::checkpoint {

/// One layer, and where the file keeps it. Input layers are not among these.
struct FlatLayer {
  std::string name;   ///< unique in the flat model
  std::string inner;  ///< its name in the file
  std::string outer;  ///< the layer of the outermost model that it lies in; == inner when it is not nested
  std::string store;  ///< its group in a .weights.h5: "layers/sequential/layers/dense"
  Json spec;          ///< {class_name, config}
};

struct FlatModel {
  Json config;  ///< {"class_name":"Sequential","config":{"name","layers"}}
  std::vector<FlatLayer> layers;
};

/// Sequential models, functional models that are one chain of layers, and nestings of both. Throws InputError
/// naming the layer: branches, shared layers, several inputs or outputs, models of other classes.
FlatModel flat_model(const Json& model_config);
/// The same; messages begin with the file that it comes from.
FlatModel flat_model(const std::string& path, const Json& model_config);

/// The flat model of layers given one by one, as a configuration does: {class_name, config}.
FlatModel flat_model_of(const std::vector<Json>& layers);

/// JSON out of a file that names `what` in messages. Throws InputError when it is none, or nested too deeply.
Json parse_json(const std::string& path, const std::string& what, const std::string& text);

}  // namespace nntrain::checkpoint
