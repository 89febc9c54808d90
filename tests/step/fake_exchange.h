#pragma once
// An exchange without ranks: it holds all shards, writes down what it is asked for, and lets a test speak for
// other ranks.

#include <string>
#include <vector>

#include "comm/exchange/exchange.h"

namespace nntrain::train {

class FakeExchange final : public comm::Exchange {
 public:
  explicit FakeExchange(const comm::ExchangeOptions& options)
      : shards_(options.shards),
        values_(static_cast<std::size_t>(options.total_floats), 0.0F),
        gradient_(static_cast<std::size_t>(options.trainable_floats), 0.0F),
        sums_(gradient_.size()),
        nodes_{gradient_} {
    pieces_ = comm::partition(options.trainables, options.trainable_floats, 2);
    int variable = 0;
    for (const comm::Extent& extent : options.trainables)
      chunks_.push_back({variable++, extent.offset, extent.size});
  }

  std::vector<std::string> calls;     ///< in order
  std::uint32_t flags_of_others = 0;  ///< joined with the engine's
  float gradients_of_others = 0;      ///< added to every element of the sum

  std::span<float> values() override { return values_; }
  bool private_values() const override { return false; }
  bool shares_values() const override { return false; }
  ShardRange local_shards() const override { return {0, shards_}; }
  const std::vector<std::span<float>>& gradient_nodes() override { return nodes_; }
  const std::vector<comm::Range>& pieces() const override { return pieces_; }
  std::int64_t owned_floats() const override { return static_cast<std::int64_t>(sums_.size()); }
  std::span<float> sums() override { return sums_; }
  void leave_to_owners(std::span<const comm::Range> ranges) override {
    left_.assign(ranges.begin(), ranges.end());
  }
  bool can_make_node_sums() const override { return false; }
  void make_node_sums(std::span<const comm::Range>, MakeNodeSums) override {}
  void complete(std::int64_t offset, std::int64_t size) override {
    calls.push_back("complete " + std::to_string(offset) + " " + std::to_string(size));
  }
  void reduce(comm::StepFlags mine) override {
    calls.emplace_back("reduce");
    joined_ = {mine.bits | flags_of_others};
  }
  comm::StepFlags flags() override { return joined_; }
  void await_sum(std::size_t index) override {
    calls.push_back("await_sum " + std::to_string(index));
    for (std::int64_t i = pieces_[index].begin; i < pieces_[index].end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!is_left(i)) sums_[at] = gradient_[at] + gradients_of_others;
    }
  }
  comm::StepFlags share() override {
    calls.emplace_back("share");
    return joined_;
  }
  void await_values(std::int64_t) override {}
  void settle() override { calls.emplace_back("settle"); }
  void prepare_sums(std::int64_t) override {}
  void tree_sum(std::span<const double> per_shard, std::span<double> total) override {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] = 0;
    for (std::size_t i = 0; i < per_shard.size(); ++i) total[i % total.size()] += per_shard[i];
  }
  void chunk_sums(std::span<const double> chunks, std::span<double> per_variable) override {
    std::copy(chunks.begin(), chunks.end(), per_variable.begin());
  }
  const std::vector<Chunk>& my_chunks() const override { return chunks_; }
  std::vector<float> gather_slices(std::span<const float> mine) override {
    return {mine.begin(), mine.end()};
  }
  void gather_slices(std::span<const float> mine, const TakeRange& take) override {
    take({0, owned_floats()}, mine.data());
  }
  void scatter_slices(std::span<const float> whole, std::span<float> mine) override {
    std::copy(whole.begin(), whole.end(), mine.begin());
  }
  const std::string& note() const override { return note_; }
  double seconds_waiting() const override { return 0; }
  void on_wait(WaitListener) override {}

 private:
  bool is_left(std::int64_t i) const {
    for (const comm::Range& range : left_)
      if (i >= range.begin && i < range.end) return true;
    return false;
  }

  int shards_;
  std::vector<float> values_, gradient_, sums_;
  std::vector<std::span<float>> nodes_;
  std::vector<comm::Range> pieces_, left_;
  std::vector<Chunk> chunks_;
  comm::StepFlags joined_;
  std::string note_;
};

}  // namespace nntrain::train
