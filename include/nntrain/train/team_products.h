#pragma once
// Products by teams. With few rows a rank, each rank reads all weights to use them for a handful of rows, and the weights'
// way through the caches takes as long as the arithmetic. So consecutive ranks of a node form a team: the products of all
// rows of the team are cut by columns, and each rank computes its columns for all of them. It reads its columns of the
// weights, and x of the other ranks, which is small. The elements are those that each rank would have computed alone.

#include <cstdint>
#include <memory>
#include <vector>

#include "nntrain/comm/exchange.h"
#include "nntrain/nn/products.h"
#include "nntrain/train/shared_workspace.h"

namespace nntrain::train {

class TeamProducts : public nn::Products {
 public:
  /// On one node. Null where teams are of no use: one rank, or ranks that share cores, for which each barrier would be a
  /// matter of the scheduler. The environment's NNTRAIN_TEAMS = always forms teams of all ranks for all products, never
  /// none: the bits are the same. All references outlive the object.
  static std::unique_ptr<TeamProducts> make(int rank, const SharedWorkspace& workspace, comm::Exchange& exchange, int shards);

  /// Before the forward pass of each mini-batch of `batch_rows` rows, the same on all ranks.
  void begin(std::int64_t batch_rows);
  void multiply(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) override;
  void multiply_transposed(std::int64_t rows, std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) override;

 private:
  TeamProducts(int rank, const SharedWorkspace& workspace, comm::Exchange& exchange, int shards, bool always);
  std::int64_t rows_of(int rank, std::int64_t positions) const { return rows_[static_cast<std::size_t>(rank)] * positions; }
  bool together(std::int64_t n, std::int64_t k, const float* x, const float* y) const;
  /// `product`(all rows, first column, columns, x of all rows, y of these columns).
  template <class Product>
  void share_out(std::int64_t positions, std::int64_t n, std::int64_t k, const float* x, float* y, Product product);

  int rank_;
  const SharedWorkspace& workspace_;
  comm::Exchange& exchange_;
  int shards_;
  bool always_;
  std::int64_t batch_rows_ = 0;
  int team_begin_ = 0, team_end_ = 1;  ///< local ranks
  std::vector<std::int64_t> rows_;     ///< (ranks) of this mini-batch
  std::vector<float> x_, y_;           ///< (rows of the team, k), (rows of the team, my columns)
};

}  // namespace nntrain::train
