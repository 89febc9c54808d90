#pragma once
// Rows cut into blocks: what fit.shuffle = blocks(..) puts in order, and what is read from disk at a time.

#include <cstdint>
#include <vector>

namespace nntrain::data {

/// Blocks of `block_rows` rows, begun anew at each of `cuts` (rows, ascending): the last block before a cut,
/// and the last of all, may be shorter.
class RowBlocks {
 public:
  RowBlocks(std::int64_t rows, std::int64_t block_rows, const std::vector<std::int64_t>& cuts = {});

  std::int64_t rows() const { return rows_; }
  std::int64_t block_rows() const { return block_rows_; }  ///< of the longest
  std::int64_t count() const { return count_; }
  std::int64_t begin(std::int64_t block) const;  ///< its first row; of count(): the rows
  std::int64_t rows_of(std::int64_t block) const { return begin(block + 1) - begin(block); }
  std::int64_t block_of(std::int64_t row) const;
  /// Those that are shorter than block_rows(), ascending.
  std::vector<std::int64_t> short_blocks() const;

 private:
  struct Segment {
    std::int64_t row, block;  ///< the first
  };
  std::int64_t rows_, block_rows_, count_ = 0;
  std::vector<Segment> segments_;  ///< between cuts; never empty
};

}  // namespace nntrain::data
