// DataLoader's part in reading from disk: which inputs, and how.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "train/data/dataset.h"
#include "train/data/free_memory.h"

namespace nntrain::train {

namespace {

/// One source of several streams, of which one reads at a time.
class SharedSource : public data::ArraySource {
 public:
  explicit SharedSource(std::shared_ptr<data::ArraySource> source) : source_(std::move(source)) {}
  const data::ArrayInfo& info() const override { return source_->info(); }
  void read(std::span<std::byte> memory) override { source_->read(memory); }
  bool has_rows() const override { return source_->has_rows(); }
  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    source_->read_rows(first, count, memory);
  }

 private:
  std::shared_ptr<data::ArraySource> source_;
};

/// For the log, of several nodes.
std::string who_reads(int nodes, const data::StreamShape& shape, bool same_files) {
  if (shape.is_shared())
    return fmt::format(
        "the {} nodes see the same files: each block is read by one of them and sent to the others", nodes);
  if (same_files)
    return fmt::format(
        "each of the {} nodes reads all blocks: with {} they are too long to be sent; a smaller "
        "data.block_rows lets the nodes read together",
        nodes, size_text(shape.block_bytes()));
  return fmt::format("each of the {} nodes reads its own copies of the files (their times of change differ)",
                     nodes);
}

}  // namespace

void DataLoader::choose_memory_of(Part& part, const LoadedArray& array, const std::string& key) {
  const auto everywhere = [&](bool mine) { return session_.minimum(std::int64_t{mine ? 1 : 0}) != 0; };
  MemoryFacts facts{key, array.source, array.info.bytes(), 0, "", !part.is_training()};
  facts.free_bytes = session_.minimum(free_memory_bytes());
  const bool has_rows = everywhere(source_ == nullptr || source_->has_rows());
  const bool in_order = everywhere(order_.empty());
  if (settings_.memory != nullptr) return;  // they are in memory
  if (!has_rows) {
    facts.cannot_stream =
        "SVMlight files and arrays in Fortran order are read as a whole; `nntrain-dist convert` makes an "
        "HDF5 "
        "file of them";
  } else if (part.is_training() && fit_.shuffle && fit_.shuffle_window == 0) {
    facts.cannot_stream =
        "fit.shuffle = true mixes all rows, which needs all of them in memory; fit.shuffle = "
        "blocks(window=K) mixes "
        "those of K blocks, fit.shuffle = false takes them as they come";
  } else if (part.is_training() && !in_order) {
    facts.cannot_stream =
        "data.validation = split(..) and data.folds sort the rows of the file; fit.validation_split, "
        "data.validation_rows or files of their own (data.validation_inputs) do not";
  }
  comm::collectively(session_, key, [&] {
    const MemoryChoice choice = choose_memory(settings_.where, facts);
    part.streams = choice.streams;
    if (!choice.report.empty()) sets_.report.push_back(choice.report);
  });
}

/// Of what lies in memory, or of the file.
void DataLoader::take_fingerprints(const Part& part, LoadedArray& array, const std::string& key) {
  const bool full = settings_.fingerprint == Fingerprint::kFull ||
                    (settings_.fingerprint == Fingerprint::kAuto && !part.streams);
  comm::collectively(session_, "read " + key, [&] {
    if (source_ == nullptr) return;
    const std::span<const std::byte> whole = array.memory.bytes();
    const auto row_bytes = static_cast<std::size_t>(array.info.bytes() / array.info.rows);
    const data::ReadRows read = [&](std::int64_t first, std::int64_t count, std::span<std::byte> memory) {
      if (part.streams) return source_->read_rows(first, count, memory);
      std::memcpy(memory.data(), whole.data() + static_cast<std::size_t>(first) * row_bytes, memory.size());
      (void)count;
    };
    if (full && part.streams) array.fingerprint = data::fingerprint(array.info, read);
    if (full && !part.streams)
      array.fingerprint =
          data::fingerprint(array.info, whole.first(static_cast<std::size_t>(array.info.bytes())));
    array.sampled = data::sampled_fingerprint(array.info, read);
  });
  if (full) require_same_file(session_, key, array.source, array.fingerprint);
  require_same_file(session_, key, array.source, array.sampled);
}

/// Once it is known which rows train and which validate. One ring serves both: they are never used at a time.
void DataLoader::make_streams() {
  const auto shape_of = [&](const Part& part) {
    const data::ArrayInfo& info = sets_.arrays[part.inputs_array].info;
    const std::int64_t block_rows = part.is_training()         ? sets_.block_rows
                                    : settings_.block_rows > 0 ? settings_.block_rows
                                                               : data::block_rows_of(info);
    data::StreamShape shape;
    shape.element = info.element;
    shape.sample_size = info.sample.size();
    shape.first = part.rows.begin;
    shape.blocks = {part.rows.count(), block_rows,
                    settings_.block_rows > 0 ? std::vector<std::int64_t>()
                                             : data::block_cuts(info, part.rows, block_rows)};
    shape.ranks = session_.local_size();
    if (part.is_shared && shape.block_bytes() <= comm::Mail::kMostBytes) {
      shape.nodes = session_.node_sizes();
      shape.node = session_.node();
    }
    shape.slots = slots_of(shape, part.is_training() ? fit_.shuffle_window : 0, settings_);
    return shape;
  };
  std::optional<data::StreamShape> train, validation;
  std::int64_t bytes = 0;
  comm::collectively(session_, "data.cache", [&] {
    if (train_.streams) train = shape_of(train_);
    if (validation_.streams && validation_.rows.count() > 0) validation = shape_of(validation_);
    for (const auto& shape : {train, validation})
      if (shape) bytes = std::max(bytes, shape->memory_bytes());
  });
  if (bytes == 0) return;
  sets_.ring = comm::SharedArray::allocate(session_, bytes);
  sets_.bytes += bytes;
  const bool shared = (train && train->is_shared()) || (validation && validation->is_shared());
  if (shared) sets_.mail = std::make_unique<StreamMail>(session_);
  if (train) add_stream(train_, *train, sets_.train);
  if (validation) add_stream(validation_, *validation, *sets_.validation);
  const data::StreamShape& shape = train ? *train : *validation;
  sets_.report.push_back(
      fmt::format("data.cache: {} of {} blocks of {} rows are in memory at a time, {} a node", shape.slots,
                  shape.blocks.count(), shape.blocks.block_rows(), size_text(bytes)));
  const bool same_files = train ? train_.is_shared : validation_.is_shared;
  if (session_.nodes() > 1) sets_.report.push_back(who_reads(session_.nodes(), shape, same_files));
}

void DataLoader::add_stream(const Part& part, const data::StreamShape& shape, Samples& samples) {
  std::unique_ptr<data::BlockStream> stream;
  comm::collectively(session_, "open the inputs", [&] {
    const Part& owner = part.is_training() || own_validation_files_ ? part : train_;
    std::unique_ptr<data::ArraySource> source;
    if (owner.source != nullptr) source = std::make_unique<SharedSource>(owner.source);
    stream = std::make_unique<data::BlockStream>(shape, sets_.ring.bytes(), session_.local_rank(),
                                                 std::move(source),
                                                 shape.is_shared() ? sets_.mail.get() : nullptr);
  });
  stream->on_long_wait([&session = session_](double seconds) { session.look_while_waiting(seconds); });
  samples.stream = stream.get();
  sets_.streams.push_back(std::move(stream));
}

}  // namespace nntrain::train
