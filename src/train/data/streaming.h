#pragma once
// Inputs that are read from disk while they are used, in place of an array in memory: which, and how much of
// them is in memory at a time. docs/data.md, "Larger than memory".

#include <cstdint>
#include <optional>
#include <string>

#include "comm/session/mail.h"
#include "comm/session/session.h"
#include "data/block_stream.h"
#include "train/config/settings.h"

namespace nntrain::train {

struct DataSets;
struct Samples;

/// What decides where a source's rows are.
struct MemoryFacts {
  std::string key, source;
  std::int64_t bytes = 0;       ///< of all rows in memory
  std::int64_t free_bytes = 0;  ///< of the node that has least
  std::string cannot_stream;  ///< why the rows cannot be read from disk while they are used; empty: they can
  bool stream_if_it_can = false;  ///< data.memory = stream means training inputs first of all
};
struct MemoryChoice {
  bool streams = false;
  std::string report;  ///< what the header says of it
};
/// Pure. InputError: they fit nowhere, or cannot be streamed as told; with the cure.
MemoryChoice choose_memory(DataMemory where, const MemoryFacts& facts);

/// The most memory for the values of a table while it is opened; beyond it they are parsed again when they
/// are used.
std::int64_t kept_bytes(DataMemory where);

/// Blocks in memory: two windows, so that one is read while one is used, as far as data.cache goes.
/// InputError: it has no room for one window. `window` 0: rows in the file's order.
std::int64_t slots_of(const data::StreamShape& shape, std::int64_t window, const DataSettings& settings);

/// What nodes that share the reading send one another.
class StreamMail : public data::BlockMail {
 public:
  /// Collective.
  explicit StreamMail(comm::Session& session) : mail_(session) {}
  void send(int rank, std::span<const std::byte> bytes, std::int64_t ticket) override {
    mail_.send(rank, bytes, ticket);
  }
  void receive(int rank, std::span<std::byte> bytes, std::int64_t ticket) override {
    mail_.receive(rank, bytes, ticket);
  }
  void look(const Ended& ended) override { mail_.look(ended); }
  comm::Mail& mail() { return mail_; }

 private:
  comm::Mail mail_;
};

/// Does every node see the same files under `source`, so that one node may read for all? Copies are read by
/// each node for itself: a disk of its own is nearer than the others. Collective; false on one node.
bool files_are_shared(comm::Session& session, const std::string& source);

/// `samples` will be used from `position` of this order on; `pass` names the pass over them
/// (data::BlockStream). Collective, where they are read from disk; nothing to do where they are in memory.
void begin_pass(comm::Session& session, const DataSets& data, const Samples& samples,
                const data::Sampler& sampler, std::int64_t pass, std::int64_t position);
/// Throws on all ranks what reading failed of, if it did. Collective as above.
void check_pass(comm::Session& session, const Samples& samples);

/// Names of passes that are none of training's: those count from 0.
constexpr std::int64_t kPassInOrder = -1, kPassAgain = -2;

/// "3.2 GB", in powers of 1000, as data.cache.
std::string size_text(std::int64_t bytes);

}  // namespace nntrain::train
