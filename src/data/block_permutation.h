#pragma once
// The order of blocks in an epoch: every window is a stratified sample of the file.

#include <cstdint>

#include "data/permutation.h"

namespace nntrain::data {

/// A permutation of [0, count) blocks whose windows (places window * w .. window * (w + 1) - 1) each hold one
/// block of each of `window` stretches of equal length, in their order in the file. Where the stretches begin
/// is drawn anew in every epoch, and which block of a stretch a window gets. The last window of an epoch,
/// which may be shorter, takes what is left, from stretches that are spread over the file.
///
/// CorgiPile draws the blocks of a window from all blocks instead. In a file sorted by class its windows then
/// hold more of some classes than of others, by the square root of a class' blocks; here by one block. Two
/// neighbours meet in a window as seldom as they do there: where a stretch begins between them.
class BlockPermutation {
 public:
  static constexpr const char* kName = "stratified";  ///< in checkpoints

  BlockPermutation() = default;
  BlockPermutation(std::int64_t count, std::int64_t window, const Permutation::Keys& keys);
  std::int64_t at(std::int64_t place) const;        ///< the block that stands there
  std::int64_t place_of(std::int64_t block) const;  ///< where it stands

 private:
  /// Stretch s is the blocks begin(s) .. begin(s + 1) - 1 after the first one: `full` or `full` + 1 of them.
  std::int64_t begin(std::int64_t stretch) const;
  const Permutation& of(std::int64_t stretch) const;

  std::int64_t count_ = 1, window_ = 1;
  std::int64_t full_ = 1;   ///< windows with a block of every stretch
  std::int64_t left_ = 0;   ///< blocks, and stretches, of the last window when it is shorter
  std::int64_t first_ = 0;  ///< the block at which stretch 0 begins
  Permutation::Keys keys_{};
  Permutation shorter_{1}, longer_{2};
};

}  // namespace nntrain::data
