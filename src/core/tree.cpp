#include "core/tree.h"

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace nntrain {

namespace {

int tree_span(int shards) {
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(shards, 1))));
}

void cover(ShardRange node, ShardRange range, int shards, std::vector<ShardRange>& nodes) {
  const ShardRange cut{node.begin, std::min(node.end, shards)};  // leaves beyond `shards` do not exist
  if (cut.begin >= cut.end || cut.end <= range.begin || cut.begin >= range.end) return;
  if (cut.begin >= range.begin && cut.end <= range.end) {
    nodes.push_back(cut);
    return;
  }
  const int middle = node.begin + (node.end - node.begin) / 2;
  cover({node.begin, middle}, range, shards, nodes);
  cover({middle, node.end}, range, shards, nodes);
}

/// Emits the sum of `node` into buffer `target`; scratch buffers start at `scratch`.
void emit(ShardRange node, int width, int target, int scratch, TreeProgram& program) {
  program.buffers = std::max(program.buffers, target + 1);
  if (node.count() == 1) {
    program.steps.push_back({TreeStep::Operation::kStoreLeaf, target, -1, node.begin});
    return;
  }
  int half = width / 2;
  while (node.begin + half >= node.end) half /= 2;  // the right child lies beyond the last shard
  emit({node.begin, node.begin + half}, half, target, scratch, program);
  const ShardRange right{node.begin + half, node.end};
  // Only the right leaf of a pair may be added where its partner lies; a lone even leaf (the last of an odd
  // number of shards) is stored like every even leaf, because a regularizer may join it.
  if (right.count() == 1 && right.begin % 2 == 1) {
    program.steps.push_back({TreeStep::Operation::kAddLeaf, target, -1, right.begin});
    return;
  }
  emit(right, half, scratch, scratch + 1, program);
  program.steps.push_back({TreeStep::Operation::kAdd, target, scratch, -1});
}

struct Combiner {
  std::span<const ShardRange> nodes;
  std::vector<TreeStep> steps;
  std::size_t next = 0;

  /// Returns the buffer that holds the sum of `node`, -1 when it has no shards.
  int combine(ShardRange node, int shards) {
    const ShardRange cut{node.begin, std::min(node.end, shards)};
    if (cut.begin >= cut.end) return -1;
    if (next < nodes.size() && nodes[next] == cut) return static_cast<int>(next++);
    if (node.count() <= 1) throw RuntimeError("internal: the nodes given do not cover the tree of sums");
    const int middle = node.begin + node.count() / 2;
    const int left = combine({node.begin, middle}, shards);
    const int right = combine({middle, node.end}, shards);
    if (right < 0) return left;
    steps.push_back({TreeStep::Operation::kAdd, left, right, -1});
    return left;
  }
};

}  // namespace

ShardRange shards_of_rank(int rank, int ranks, int shards) {
  const auto first = [&](std::int64_t r) { return static_cast<int>(r * shards / ranks); };
  return {first(rank), first(rank + 1)};
}

std::int64_t shard_begin(int shard, int shards, std::int64_t rows) {
  // floor(shard * rows / shards) without the product, which could overflow.
  return shard * (rows / shards) + shard * (rows % shards) / shards;
}

std::vector<ShardRange> covering_nodes(ShardRange range, int shards) {
  std::vector<ShardRange> nodes;
  if (range.count() > 0) cover({0, tree_span(shards)}, range, shards, nodes);
  return nodes;
}

TreeProgram local_program(ShardRange range, int shards) {
  const std::vector<ShardRange> nodes = covering_nodes(range, shards);
  TreeProgram program;
  program.nodes = static_cast<int>(nodes.size());
  program.buffers = program.nodes;
  for (int i = 0; i < program.nodes; ++i) {
    const ShardRange node = nodes[static_cast<std::size_t>(i)];
    emit(node, tree_span(node.count()), i, program.nodes, program);
  }
  return program;
}

std::vector<TreeStep> combining_program(std::span<const ShardRange> nodes, int shards) {
  Combiner combiner{nodes, {}, 0};
  combiner.combine({0, tree_span(shards)}, shards);
  return std::move(combiner.steps);
}

void add_in_place(std::span<float> target, std::span<const float> source) {
  float* __restrict t = target.data();
  const float* __restrict s = source.data();
  const std::size_t count = target.size();
  for (std::size_t i = 0; i < count; ++i) t[i] += s[i];
}

double tree_sum(std::span<const double> values) {
  if (values.empty()) return 0;
  if (values.size() == 1) return values[0];
  const std::size_t half = std::bit_ceil(values.size()) / 2;
  return tree_sum(values.first(half)) + tree_sum(values.subspan(half));
}

}  // namespace nntrain
