#include "train/data/streaming.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "data/file_state.h"
#include "train/data/dataset.h"
#include "train/data/free_memory.h"

namespace nntrain::train {

namespace {

/// In the file's order there is nothing to mix: so much is read ahead.
constexpr std::int64_t kAheadBytes = std::int64_t{64} << 20;

}  // namespace

std::string size_text(std::int64_t bytes) {
  const char* units[] = {"bytes", "KB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  int unit = 0;
  for (; size >= 1000 && unit < 4; ++unit) size /= 1000;
  return fmt::format("{:.3g} {}", size, units[unit]);
}

MemoryChoice choose_memory(DataMemory where, const MemoryFacts& facts) {
  const std::string size = size_text(facts.bytes), free = size_text(facts.free_bytes);
  if (where == DataMemory::kResident) return {};
  if (where == DataMemory::kStream) {
    if (facts.cannot_stream.empty())
      return {true, fmt::format("data.memory = stream: {} ({}) are read from disk", facts.key, size)};
    if (facts.stream_if_it_can) return {};
    throw InputError(
        fmt::format("data.memory = stream: {} \"{}\": {}", facts.key, facts.source, facts.cannot_stream));
  }
  if (facts.bytes <= facts.free_bytes / 2) return {};
  if (facts.cannot_stream.empty())
    return {true,
            fmt::format("data.memory = auto: {} are read from disk: {} are more than half of the {} that are "
                        "free on a node",
                        facts.key, size, free)};
  throw InputError(
      fmt::format("{} \"{}\" takes {} of memory, more than half of the {} that are free on a node, and "
                  "cannot be read from disk "
                  "while it is used: {}. data.memory = resident takes the memory all the same",
                  facts.key, facts.source, size, free, facts.cannot_stream));
}

std::int64_t kept_bytes(DataMemory where) {
  if (where == DataMemory::kResident) return std::numeric_limits<std::int64_t>::max();
  return where == DataMemory::kStream ? 0 : free_memory_bytes() / 4;
}

std::int64_t slots_of(const data::StreamShape& shape, std::int64_t window, const DataSettings& settings) {
  const std::int64_t blocks = shape.blocks.count(), block_bytes = shape.block_bytes();
  const std::int64_t least = std::min(blocks, std::max<std::int64_t>(1, window));
  const std::int64_t wanted =
      std::min(blocks, window > 0 ? 2 * window : std::max<std::int64_t>(4, kAheadBytes / block_bytes));
  const std::int64_t room = settings.cache_bytes / block_bytes;
  if (room >= least) return std::min(room, wanted);
  const std::string text =
      settings.cache_text.empty() ? size_text(settings.cache_bytes) : settings.cache_text;
  throw InputError(
      fmt::format("data.cache = {} has room for {} block{} of {} rows ({} each), {} needs {} in memory; give "
                  "data.cache = {}MB, or "
                  "{}",
                  text, room, room == 1 ? "" : "s", shape.blocks.block_rows(), size_text(block_bytes),
                  window > 0 ? fmt::format("fit.shuffle = blocks(window={})", window) : "reading", least,
                  (least * block_bytes + 999'999) / 1'000'000,
                  window > 0 && room > 0
                      ? fmt::format("fit.shuffle = blocks(window={})", std::max<std::int64_t>(1, room / 2))
                      : "a smaller data.block_rows (the file's chunks are then read more than once)"));
}

bool files_are_shared(comm::Session& session, const std::string& source) {
  if (session.nodes() == 1) return false;
  std::string mine;
  comm::collectively(session, "compare the nodes' files", [&] {
    if (session.local_rank() == 0) mine = data::identity_of_files(source);
  });
  const std::string of_root = session.broadcast_text(mine);
  const bool same = !of_root.empty() && (session.local_rank() != 0 || mine == of_root);
  return session.minimum(std::int64_t{same ? 1 : 0}) != 0;
}

void begin_pass(comm::Session& session, const DataSets& data, const Samples& samples,
                const data::Sampler& sampler, std::int64_t pass, std::int64_t position) {
  data::BlockStream* const stream = samples.stream;
  if (stream == nullptr || stream->stands_at(pass, position)) return;
  if (data.mail == nullptr) {
    session.node_barrier();
  } else {
    session.barrier();  // until here other nodes may want what this one reads
  }
  for (const auto& one : data.streams) one->stop();
  if (data.mail != nullptr) data.mail->mail().settle();
  stream->begin(sampler, pass, position);
  session.node_barrier();
  if (data.mail != nullptr) data.mail->mail().while_waiting([stream] { stream->attend(); });
}

void check_pass(comm::Session& session, const Samples& samples) {
  if (samples.stream == nullptr) return;
  comm::collectively(session, "read the inputs", [&] { samples.stream->check(); });
}

}  // namespace nntrain::train
