#pragma once
// What a stream of blocks is made of: of which rows, in how much memory, for whom.

#include <cstdint>
#include <vector>

#include "data/array_source.h"
#include "data/row_blocks.h"

namespace nntrain::data {

struct StreamShape {
  Element element = Element::kFloat32;
  std::int64_t sample_size = 0;  ///< values per sample
  std::int64_t first = 0;        ///< row of the source at which the data set begins
  RowBlocks blocks{1, 1};        ///< what is read at a time; those of the samplers, where they mix blocks
  std::int64_t slots = 2;  ///< blocks in memory: a window at least, and from there on reading runs ahead
  int ranks = 1;           ///< of the node
  /// Ranks of each node that shares the reading, in rank order; empty: this node reads all blocks.
  std::vector<int> nodes = {};
  int node = 0;  ///< this one among them

  bool is_shared() const { return nodes.size() > 1; }
  std::int64_t row_bytes() const;
  std::int64_t block_bytes() const;   ///< of a slot
  std::int64_t memory_bytes() const;  ///< of the ring, and of what the ranks tell one another in it
};

}  // namespace nntrain::data
