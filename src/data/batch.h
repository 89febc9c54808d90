#pragma once
// From the in-memory data set to one replica's rows of a mini-batch.

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/array_source.h"
#include "data/sampler.h"

namespace nntrain::data {

/// A data set in memory: rows [first, first + rows) of an array.
struct ArrayView {
  const std::byte* memory = nullptr;  ///< sample 0 of the file
  Element element = Element::kFloat32;
  std::int64_t sample_size = 0;  ///< values per sample
  std::int64_t first = 0;
  std::int64_t rows = 0;
};

/// out (count, sample_size) = scale * samples at positions [position, position + count) of the epoch's
/// order. One pass: gather, convert, scale. Local.
void gather(const ArrayView& array, const Sampler& sampler, std::int64_t position, std::int64_t count,
            float scale, float* out);
/// The same of rows that a sampler has named, each counted from the array's first.
void gather(const ArrayView& array, std::span<const std::int64_t> rows, float scale, float* out);
/// out = scale * `values` numbers that lie at `memory`. Each alone, so its bits do not depend on the others.
void copy_scaled(const std::byte* memory, Element element, std::int64_t values, float scale, float* out);

}  // namespace nntrain::data
