#include "data/row_blocks.h"

#include <algorithm>

namespace nntrain::data {

RowBlocks::RowBlocks(std::int64_t rows, std::int64_t block_rows, const std::vector<std::int64_t>& cuts)
    : rows_(rows), block_rows_(std::max<std::int64_t>(1, std::min(block_rows, rows))) {
  segments_.push_back({0, 0});
  const auto blocks_until = [&](std::int64_t row) {
    const Segment& last = segments_.back();
    return last.block + (row - last.row + block_rows_ - 1) / block_rows_;
  };
  for (const std::int64_t cut : cuts) {
    if (cut > segments_.back().row && cut < rows) segments_.push_back({cut, blocks_until(cut)});
  }
  count_ = blocks_until(rows);
}

std::int64_t RowBlocks::begin(std::int64_t block) const {
  if (block >= count_) return rows_;
  const auto after = std::upper_bound(segments_.begin() + 1, segments_.end(), block,
                                      [](std::int64_t b, const Segment& s) { return b < s.block; });
  const Segment& segment = *(after - 1);
  return segment.row + (block - segment.block) * block_rows_;
}

std::int64_t RowBlocks::block_of(std::int64_t row) const {
  const auto after = std::upper_bound(segments_.begin() + 1, segments_.end(), row,
                                      [](std::int64_t r, const Segment& s) { return r < s.row; });
  const Segment& segment = *(after - 1);
  return segment.block + (row - segment.row) / block_rows_;
}

std::vector<std::int64_t> RowBlocks::short_blocks() const {
  std::vector<std::int64_t> blocks;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const std::int64_t last = (i + 1 < segments_.size() ? segments_[i + 1].block : count_) - 1;
    if (last >= segments_[i].block && rows_of(last) < block_rows_) blocks.push_back(last);
  }
  return blocks;
}

}  // namespace nntrain::data
