#include "comm/exchange/sum_program.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"

namespace nntrain::comm {

namespace {

constexpr std::int64_t kBlock = 1024;  ///< floats: 4 KiB a place, so a tree of 8 levels fits a 48 KiB cache

/// target[i] = left[i] + right[i]; target may be left or right.
void add_blocks(float* target, const float* left, const float* right, std::int64_t count) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) target[i] = left[i] + right[i];
}

}  // namespace

SumProgram::SumProgram(std::span<const ShardRange> inputs, std::span<const ShardRange> outputs, int shards,
                       SumFormat format)
    : format_(format),
      inputs_(static_cast<int>(inputs.size())),
      first_scratch_(inputs_ + static_cast<int>(outputs.size())) {
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    first_step_.push_back(static_cast<int>(steps_.size()));
    scratch_in_use_ = 0;
    const int place = add(outputs[k], inputs, shards, inputs_ + static_cast<int>(k));
    sources_.push_back(place < inputs_ ? place : -1);
  }
  first_step_.push_back(static_cast<int>(steps_.size()));
  if (next_input_ != inputs.size())
    throw RuntimeError("internal: the nodes given do not fit the tree of sums");
  scratch_.resize(static_cast<std::size_t>(scratch_blocks_ * kBlock));
  places_.resize(static_cast<std::size_t>(first_scratch_ + scratch_blocks_));
  for (int i = 0; i < scratch_blocks_; ++i)
    places_[static_cast<std::size_t>(first_scratch_ + i)] = scratch_.data() + i * kBlock;
}

/// Emits the sum of `node` into place `target` (-1: a scratch block that it picks); returns where it lies,
/// which is an input when nothing is to be added, or -1 when the node has no shards.
int SumProgram::add(ShardRange node, std::span<const ShardRange> inputs, int shards, int target) {
  const ShardRange cut{node.begin, std::min(node.end, shards)};
  if (cut.begin >= cut.end) return -1;
  if (next_input_ < inputs.size() && inputs[next_input_] == cut) return static_cast<int>(next_input_++);
  if (node.count() <= 1) throw RuntimeError("internal: the nodes given do not cover the tree of sums");
  // A node that is cut off at S is halved as if it were whole.
  const int half = static_cast<int>(std::bit_ceil(static_cast<unsigned>(node.count()))) / 2;
  const int in_use = scratch_in_use_;
  const int left = add({node.begin, node.begin + half}, inputs, shards, -1);
  const int right = add({node.begin + half, node.end}, inputs, shards, -1);
  if (right < 0) return left;
  scratch_in_use_ = in_use;  // both operands are consumed by this step
  const int place = target >= 0 ? target : scratch();
  steps_.push_back({place, left, right});
  return place;
}

int SumProgram::scratch() {
  const int block = scratch_in_use_++;
  scratch_blocks_ = std::max(scratch_blocks_, scratch_in_use_);
  return first_scratch_ + block;
}

void SumProgram::run(std::span<const float* const> inputs, std::span<float* const> outputs,
                     std::int64_t first, std::int64_t end) {
  if (sources_.size() == 1 && sources_[0] >= 0 && inputs[static_cast<std::size_t>(sources_[0])] == outputs[0])
    return;  // one rank: the sum lies where it belongs
  const auto add_block = format_ == SumFormat::kBfloat16 ? add_rounded : add_blocks;
  for (std::int64_t begin = first; begin < end; begin += kBlock) {
    const std::int64_t block = std::min(kBlock, end - begin);
    // Inputs are only read; places_ holds them as float* so that one table serves all operands.
    for (std::size_t i = 0; i < inputs.size(); ++i) places_[i] = const_cast<float*>(inputs[i]) + begin;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (outputs[k] == nullptr) continue;
      float* const output = outputs[k] + begin;
      if (const int source = sources_[k]; source >= 0) {
        const float* const from = places_[static_cast<std::size_t>(source)];
        if (from != output) std::memcpy(output, from, static_cast<std::size_t>(block) * sizeof(float));
        continue;
      }
      places_[inputs.size() + k] = output;
      for (int s = first_step_[k]; s < first_step_[k + 1]; ++s) {
        const Step& step = steps_[static_cast<std::size_t>(s)];
        add_block(places_[static_cast<std::size_t>(step.target)],
                  places_[static_cast<std::size_t>(step.left)], places_[static_cast<std::size_t>(step.right)],
                  block);
      }
    }
  }
}

}  // namespace nntrain::comm
