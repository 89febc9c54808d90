#pragma once
// The exchange of a run: shared memory in a node, messages between nodes.

#include <memory>
#include <string>
#include <vector>

#include "comm/exchange/exchange.h"
#include "comm/session/session.h"

namespace nntrain::comm {

class RankExchange final : public Exchange {
 public:
  /// Collective. Shared windows of the node for values and gradients; falls back to private memory and
  /// messages when /dev/shm is too small (note() tells). Memory per rank: one gradient array for each
  /// covering node of its shards (one when ranks divide shards in powers of two), or as much private memory
  /// without shards; per node: the values. More ranks than shards are as good as fewer: those without shards
  /// own slices and take part in every call.
  RankExchange(Session& session, const ExchangeOptions& options);
  ~RankExchange() override;

  std::span<float> values() override;
  bool private_values() const override;
  bool shares_values() const override;
  ShardRange local_shards() const override;
  const std::vector<std::span<float>>& gradient_nodes() override;
  const std::vector<Range>& pieces() const override;
  std::int64_t owned_floats() const override;
  std::span<float> sums() override;
  void leave_to_owners(std::span<const Range> ranges) override;
  bool can_make_node_sums() const override;
  void make_node_sums(std::span<const Range> ranges, MakeNodeSums make) override;
  void complete(std::int64_t offset, std::int64_t size) override;
  void reduce(StepFlags mine) override;
  StepFlags flags() override;
  void await_sum(std::size_t index) override;
  StepFlags share() override;
  void await_values(std::int64_t end) override;
  void settle() override;
  void prepare_sums(std::int64_t width) override;
  void tree_sum(std::span<const double> per_shard, std::span<double> total) override;
  void chunk_sums(std::span<const double> chunks, std::span<double> per_variable) override;
  const std::vector<Chunk>& my_chunks() const override;
  std::vector<float> gather_slices(std::span<const float> mine) override;
  void gather_slices(std::span<const float> mine, const TakeRange& take) override;
  void scatter_slices(std::span<const float> whole_on_root, std::span<float> mine) override;
  const std::string& note() const override;
  double seconds_waiting() const override;
  void on_wait(WaitListener listener) override;

  struct Implementation;  ///< in src/comm; public for its helpers there

 private:
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain::comm
