#pragma once
// Values that a model takes or not (nn::Layer::value_demand): indices of an Embedding, words of a vocabulary.

#include <span>
#include <string>

#include "nn/model/sequential.h"
#include "train/data/dataset.h"

namespace nntrain::train {

/// Throws InputError for the first value of `samples`, times `scale`, that a layer of the model does not
/// take: source, row, value, layer. `columns`: names of the values, or empty. Local; one pass over the
/// samples, none for models that take all numbers. Samples that are read from disk are left out.
void check_values(const nn::Sequential& model, const Samples& samples, float scale, const Json& columns,
                  const std::string& source);
/// The same for samples of `data` that are read from disk, and no others. Collective.
void check_streamed_values(comm::Session& session, const nn::Sequential& model, const DataSets& data,
                           const Samples& samples, const std::string& source);
/// The same for rows (count, input size) that lie in memory; rows count from `first_row`.
void check_values(const nn::Sequential& model, std::span<const float> rows, std::int64_t first_row,
                  const Json& columns, const std::string& source);

}  // namespace nntrain::train
