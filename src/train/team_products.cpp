#include "nntrain/train/team_products.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "nntrain/core/chain.h"
#include "nntrain/core/tree.h"

namespace nntrain::train {

namespace {

constexpr std::int64_t kTeamRows = 64;          ///< teams grow up to so many rows
constexpr std::int64_t kTeamWeights = 1 << 16;  ///< smaller arrays of weights are not worth two barriers
constexpr std::int64_t kColumns = 16;           ///< columns are cut in multiples of it: a cache line, a vector

}  // namespace

std::unique_ptr<TeamProducts> TeamProducts::make(int rank, const SharedWorkspace& workspace, comm::Exchange& exchange, int shards) {
  const char* variable = std::getenv("NNTRAIN_TEAMS");
  const std::string_view wanted = variable == nullptr ? "" : variable;
  const bool always = wanted == "always";
  if (workspace.ranks() == 1 || wanted == "never" || !(always || exchange.one_core_each())) return nullptr;
  return std::unique_ptr<TeamProducts>(new TeamProducts(rank, workspace, exchange, shards, always));
}

TeamProducts::TeamProducts(int rank, const SharedWorkspace& workspace, comm::Exchange& exchange, int shards, bool always)
    : rank_(rank), workspace_(workspace), exchange_(exchange), shards_(shards), always_(always),
      rows_(static_cast<std::size_t>(workspace.ranks())) {}

void TeamProducts::begin(std::int64_t batch_rows) {
  if (batch_rows == batch_rows_) return;
  batch_rows_ = batch_rows;
  const int ranks = workspace_.ranks();
  for (int r = 0; r < ranks; ++r) {
    const ShardRange shards = shards_of_rank(r, ranks, shards_);
    rows_[static_cast<std::size_t>(r)] = shard_begin(shards.end, shards_, batch_rows) - shard_begin(shards.begin, shards_, batch_rows);
  }
  std::int64_t size = 1;
  while (size < ranks && size * 2 * batch_rows <= kTeamRows * ranks) size *= 2;
  if (always_) size = ranks;
  team_begin_ = static_cast<int>(rank_ / size * size);
  team_end_ = static_cast<int>(std::min<std::int64_t>(ranks, team_begin_ + size));
}

bool TeamProducts::together(std::int64_t n, std::int64_t k, const float* x, const float* y) const {
  const int size = team_end_ - team_begin_;
  if (size == 1 || !workspace_.holds(x) || !workspace_.holds(y)) return false;
  return always_ || (n * k >= kTeamWeights && n >= size * kColumns);
}

template <class Product>
void TeamProducts::share_out(std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, float* y, Product product) {
  const std::int64_t size = team_end_ - team_begin_, me = rank_ - team_begin_;
  const std::int64_t blocks = (n + kColumns - 1) / kColumns;
  const std::int64_t begin = std::min(n, blocks * me / size * kColumns), end = std::min(n, blocks * (me + 1) / size * kColumns);
  const std::int64_t columns = end - begin;
  exchange_.team_barrier(team_begin_, team_end_);  // everyone's x is there
  if (columns > 0) {
    std::int64_t rows = 0;
    for (int r = team_begin_; r < team_end_; ++r) rows += rows_of(r, positions);
    x_.resize(std::max(x_.size(), static_cast<std::size_t>(rows * k)));
    y_.resize(std::max(y_.size(), static_cast<std::size_t>(rows * columns)));
    float* to = x_.data();
    for (int r = team_begin_; r < team_end_; ++r) {
      to = std::copy_n(workspace_.of(r, x), rows_of(r, positions) * k, to);
    }
    product(rows, begin, columns, x_.data(), y_.data());
    const float* from = y_.data();
    for (int r = team_begin_; r < team_end_; ++r) {
      float* theirs = workspace_.of(r, y) + begin;
      for (std::int64_t i = 0; i < rows_of(r, positions); ++i, from += columns) std::copy_n(from, columns, theirs + i * n);
    }
  }
  exchange_.team_barrier(team_begin_, team_end_);  // my y is there
}

void TeamProducts::multiply(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  if (!together(n, k, x, y)) return Products::multiply(rows, positions, n, k, x, w, y);
  share_out(positions, n, k, x, y, [&](std::int64_t all_rows, std::int64_t begin, std::int64_t columns, const float* all_x, float* all_y) {
    chain::multiply(all_rows, columns, k, all_x, w + begin, n, all_y);
  });
}

void TeamProducts::multiply_transposed(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  if (!together(n, k, x, y)) return Products::multiply_transposed(rows, positions, n, k, x, w, y);
  share_out(positions, n, k, x, y, [&](std::int64_t all_rows, std::int64_t begin, std::int64_t columns, const float* all_x, float* all_y) {
    chain::multiply_transposed(all_rows, columns, k, all_x, w + begin * k, all_y);
  });
}

}  // namespace nntrain::train
