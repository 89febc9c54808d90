#include "data/sampler.h"

#include <algorithm>

namespace nntrain::data {

namespace {

/// Of the rows in a window.
std::uint64_t tweak_of(std::int64_t window) { return mix_bits(static_cast<std::uint64_t>(window) + 1); }

}  // namespace

Sampler::Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, Order order)
    : rows_(rows), order_(order), permutation_(rows), keys_(Permutation::keys_of(seed, epoch)) {}

Sampler::Sampler(std::int64_t rows, std::uint64_t seed, std::int64_t epoch, const BlockOrder& blocks)
    : rows_(rows),
      order_(Order::kBlocks),
      permutation_(rows),
      keys_(Permutation::keys_of(seed, epoch)),
      blocks_(rows, blocks.block_rows, blocks.cuts),
      window_(std::min(blocks.window, blocks_.count())),
      order_of_blocks_(blocks_.count(), window_, keys_) {
  for (const std::int64_t block : blocks_.short_blocks())
    shorts_.push_back({order_of_blocks_.place_of(block), 0, blocks_.block_rows() - blocks_.rows_of(block)});
  std::sort(shorts_.begin(), shorts_.end(), [](const Short& a, const Short& b) { return a.place < b.place; });
  std::int64_t missing = 0;
  for (Short& block : shorts_) {
    missing = block.missing += missing;
    block.behind = (block.place + 1) * blocks_.block_rows() - missing;
  }
}

std::int64_t Sampler::position_of_place(std::int64_t place) const {
  const auto after = std::lower_bound(shorts_.begin(), shorts_.end(), place,
                                      [](const Short& block, std::int64_t p) { return block.place < p; });
  return place * blocks_.block_rows() - (after == shorts_.begin() ? 0 : (after - 1)->missing);
}

std::int64_t Sampler::place_of_position(std::int64_t position) const {
  const auto after = std::upper_bound(shorts_.begin(), shorts_.end(), position,
                                      [](std::int64_t p, const Short& block) { return p < block.behind; });
  return (position + (after == shorts_.begin() ? 0 : (after - 1)->missing)) / blocks_.block_rows();
}

std::int64_t Sampler::mixed(std::int64_t position) const {
  const std::int64_t window = place_of_position(position) / window_;
  const std::int64_t begin = position_of_place(window * window_);
  const std::int64_t end = position_of_place(std::min((window + 1) * window_, places()));
  return begin + Permutation(end - begin).at(keys_, tweak_of(window), position - begin);
}

std::int64_t Sampler::row_in_blocks(std::int64_t position) const {
  const std::int64_t at = mixed(position), place = place_of_position(at);
  return blocks_.begin(block_at(place)) + at - position_of_place(place);
}

std::int64_t Sampler::row(std::int64_t position) const {
  if (order_ == Order::kShuffled) return permutation_.at(keys_, 0, position);
  return order_ == Order::kFile ? position : row_in_blocks(position);
}

void Sampler::rows(std::int64_t position, std::span<std::int64_t> rows) const {
  if (order_ == Order::kShuffled) return permutation_.at(keys_, 0, position, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = row(position + static_cast<std::int64_t>(i));
}

}  // namespace nntrain::data
