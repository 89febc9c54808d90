#pragma once
// The rows of a source in their final order, some at a time: in bounded memory where the source can be read
// row by row.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/array_source.h"
#include "data/sampler.h"

namespace nntrain::cli {

class OrderedRows {
 public:
  virtual ~OrderedRows() = default;
  /// The next rows, as many as `memory` takes.
  virtual void next(std::span<std::byte> memory) = 0;
};

/// Rows of `source`, which outlives them, in the order of `order`. About `memory_bytes` are in memory at a
/// time where the source has_rows(), else all of it. An order that is not the file's then takes a scratch
/// file beside `output`, as large as the rows.
std::unique_ptr<OrderedRows> ordered_rows(data::ArraySource& source, const data::Sampler& order,
                                          std::int64_t memory_bytes, const std::string& output);

}  // namespace nntrain::cli
