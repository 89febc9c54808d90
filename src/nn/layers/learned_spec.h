#pragma once
// What a layer learns of the data before it can be made: its shape depends on it (Keras' adapt()).

#include <vector>

#include "core/json.h"

namespace nntrain::nn {

/// Must the canonical `spec` learn first? Discretization(num_bins=K) its bin_boundaries, IntegerLookup() and
/// StringLookup() their vocabulary (of text: text_demand.h).
bool learns_from_data(const Json& spec);

/// Such a spec with what adapt() learns of `values` (all of them, one after another):
/// keras/src/layers/preprocessing/discretization.py (summarize, compress_summary, in float32 where numpy is)
/// and index_lookup.py (finalize_state). Throws InputError for values that the layer does not take. Pure.
Json learned(Json spec, std::vector<float> values);

}  // namespace nntrain::nn
