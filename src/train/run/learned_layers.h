#pragma once
// Layers that learn what they are from the training rows before the model can be built: bins of a
// Discretization(num_bins=K), the vocabulary of an IntegerLookup() (Keras' adapt).

#include <vector>

#include "comm/session/session.h"
#include "train/data/dataset.h"
#include "train/run/setup.h"

namespace nntrain::train {

/// Writes bin_boundaries and vocabulary into those of `source.layers` that lack them, as Keras' adapt() would
/// on the training rows in one array. The layers must see the inputs as they are. Rank 0 learns, all know:
/// collective. InputError otherwise.
void learn_layers(comm::Session& session, ModelSource& source, const DataSets& data);

/// The canonical `spec` of such a layer with what adapt() learns of `values` (all of them, one after
/// another): keras/src/layers/preprocessing/discretization.py (summarize, compress_summary, in float32 where
/// numpy is) and index_lookup.py (finalize_state). Pure.
Json learned(Json spec, std::vector<float> values);

}  // namespace nntrain::train
