#pragma once
// Layers that learn what they are from the training rows before the model can be built: bins of a
// Discretization(num_bins=K), the vocabulary of an IntegerLookup() (Keras' adapt).

#include "comm/session/session.h"
#include "train/data/dataset.h"
#include "train/run/setup.h"

namespace nntrain::train {

/// Writes bin_boundaries and vocabulary into those of `source.layers` that lack them, as Keras' adapt() would
/// on the training rows in one array; of text the words were counted where the table was read. The layers
/// must see the inputs as they are. Rank 0 learns, all know: collective. InputError otherwise.
void learn_layers(comm::Session& session, ModelSource& source, const DataSets& data);

}  // namespace nntrain::train
