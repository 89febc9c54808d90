#pragma once
// Private to the floor: reading of the files that Keras writes, besides our own (read.cpp).

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/flat_model.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

/// Arrays whose values were left where they are.
using Unread = std::vector<io::Hdf5Dataset>;

/// The weights of a legacy group (/model_weights, or the root of a weights file), layer by layer of `model`:
/// layer_names -> weight_names -> arrays. Fills `layer_names` as the file has them. With `unread` the values
/// stay in the file, and `unread` gets the datasets that hold them, in order.
std::vector<WeightArray> read_legacy_weights(const std::string& path, const io::Hdf5Group& group,
                                             const FlatModel& model, std::vector<std::string>& layer_names,
                                             Unread* unread = nullptr);

/// The weights of a Keras 3 store: layers/<class>[_k]/vars/<n>.
std::vector<WeightArray> read_store_weights(const std::string& path, const io::Hdf5Group& root,
                                            const FlatModel& model);

/// The optimizer's state of a legacy file (/optimizer_weights) or of a store (/optimizer/vars), when it is
/// there.
void read_optimizer(const io::Hdf5Group& root, const Json& optimizer, Contents& contents);

/// A .keras archive: config.json, metadata.json, model.weights.h5.
Contents read_archive(const std::string& path);
/// Keras' model.to_json(): an architecture without weights.
Contents read_architecture(const std::string& path);

}  // namespace nntrain::checkpoint
