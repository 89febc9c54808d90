#include "data/block_permutation.h"

namespace nntrain::data {

namespace {

/// Unlike those of the rows in a window.
std::uint64_t tweak_of(std::int64_t stretch) { return mix_bits(~static_cast<std::uint64_t>(stretch)); }

/// The quotient rounded up; of positive numbers.
std::int64_t divided_up(std::int64_t number, std::int64_t by) { return (number + by - 1) / by; }

}  // namespace

BlockPermutation::BlockPermutation(std::int64_t count, std::int64_t window, const Permutation::Keys& keys)
    : count_(count),
      window_(window),
      full_(count / window),
      left_(count % window),
      first_(static_cast<std::int64_t>(mix_bits(keys[0] ^ keys[1]) % static_cast<std::uint64_t>(count))),
      keys_(keys),
      shorter_(full_),
      longer_(full_ + 1) {}

std::int64_t BlockPermutation::begin(std::int64_t stretch) const {
  return stretch * full_ + stretch * left_ / window_;
}

const Permutation& BlockPermutation::of(std::int64_t stretch) const {
  return begin(stretch + 1) - begin(stretch) > full_ ? longer_ : shorter_;
}

std::int64_t BlockPermutation::at(std::int64_t place) const {
  const std::int64_t w = place / window_, k = place % window_;
  // The k-th of the `left` longer stretches is the first one up to whose end k + 1 blocks more have come.
  const std::int64_t stretch = w < full_ ? k : divided_up((k + 1) * window_, left_) - 1;
  return (first_ + begin(stretch) + of(stretch).at(keys_, tweak_of(stretch), w)) % count_;
}

std::int64_t BlockPermutation::place_of(std::int64_t block) const {
  const std::int64_t behind = (block - first_ + count_) % count_;
  const double share = static_cast<double>(behind) / static_cast<double>(count_);
  auto stretch = static_cast<std::int64_t>(share * static_cast<double>(window_));  // to one or two
  while (begin(stretch) > behind) --stretch;
  while (begin(stretch + 1) <= behind) ++stretch;
  const std::int64_t w = of(stretch).place_of(keys_, tweak_of(stretch), behind - begin(stretch));
  return w * window_ + (w < full_ ? stretch : (stretch + 1) * left_ / window_ - 1);
}

}  // namespace nntrain::data
