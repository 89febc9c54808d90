#include "cli/convert_rows.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "io/atomic_file.h"
#include "io/hdf5.h"

namespace nntrain::cli {

namespace {

constexpr std::int64_t kReadBytes = std::int64_t{4} << 20;
constexpr std::int64_t kBufferBytes = std::int64_t{1} << 20;

std::int64_t row_bytes_of(const data::ArrayInfo& info) { return info.bytes() / info.rows; }

/// As many rows as are read at a time: whole chunks.
std::int64_t rows_at_a_time(const data::ArrayInfo& info) {
  const std::int64_t rows = std::max<std::int64_t>(1, kReadBytes / row_bytes_of(info));
  if (info.chunk_rows == 0) return std::min(rows, info.rows);
  return std::min(info.rows, std::max<std::int64_t>(1, rows / info.chunk_rows) * info.chunk_rows);
}

class InMemory : public OrderedRows {
 public:
  InMemory(data::ArraySource& source, const data::Sampler& order)
      : order_(order), row_bytes_(row_bytes_of(source.info())) {
    memory_.resize(static_cast<std::size_t>(source.info().bytes()));
    source.read(memory_);
  }
  void next(std::span<std::byte> memory) override {
    for (std::byte* to = memory.data(); to < memory.data() + memory.size(); to += row_bytes_)
      std::memcpy(to, memory_.data() + order_.row(row_++) * row_bytes_, static_cast<std::size_t>(row_bytes_));
  }

 private:
  data::Sampler order_;
  std::int64_t row_bytes_, row_ = 0;
  std::vector<std::byte> memory_;
};

class AsInFile : public OrderedRows {
 public:
  explicit AsInFile(data::ArraySource& source) : source_(source) {}
  void next(std::span<std::byte> memory) override {
    const std::int64_t count = static_cast<std::int64_t>(memory.size()) / row_bytes_of(source_.info());
    source_.read_rows(row_, count, memory);
    row_ += count;
  }

 private:
  data::ArraySource& source_;
  std::int64_t row_ = 0;
};

/// Every row is written to the bucket of its place, with that place; then bucket after bucket is sorted in
/// memory.
class Buckets : public OrderedRows {
 public:
  Buckets(data::ArraySource& source, const data::Sampler& order, std::int64_t bucket_rows,
          const std::string& output)
      : rows_(source.info().rows),
        row_bytes_(row_bytes_of(source.info())),
        record_bytes_(row_bytes_ + static_cast<std::int64_t>(sizeof(std::int64_t))),
        bucket_rows_(bucket_rows),
        scratch_(output + ".shuffle") {
    fill(source, order);
    sorted_.resize(static_cast<std::size_t>(std::min(bucket_rows_, rows_) * row_bytes_));
    records_.resize(static_cast<std::size_t>(std::min(bucket_rows_, rows_) * record_bytes_));
    filled_.emplace(io::Hdf5File::open(scratch_.temporary_path()));
  }

  void next(std::span<std::byte> memory) override {
    while (!memory.empty()) {
      if (place_ % bucket_rows_ == 0) load();
      const std::int64_t at = place_ % bucket_rows_;
      const std::int64_t left = std::min(bucket_rows_ - at, rows_ - place_);
      const std::int64_t count = std::min(left, static_cast<std::int64_t>(memory.size()) / row_bytes_);
      const auto bytes = static_cast<std::size_t>(count * row_bytes_);
      std::memcpy(memory.data(), sorted_.data() + at * row_bytes_, bytes);
      memory = memory.subspan(bytes);
      place_ += count;
    }
  }

 private:
  void fill(data::ArraySource& source, const data::Sampler& order) {
    io::Hdf5File file = io::Hdf5File::create(scratch_, rows_ * record_bytes_ + 4096);
    io::Hdf5Rows records = file.root().create_rows<std::uint8_t>("rows", Shape{rows_, record_bytes_});
    std::vector<std::vector<std::uint8_t>> buffers(static_cast<std::size_t>((rows_ - 1) / bucket_rows_ + 1));
    std::vector<std::int64_t> written(buffers.size(), 0);
    const auto flush = [&](std::size_t bucket) {
      records.write<std::uint8_t>(static_cast<std::int64_t>(bucket) * bucket_rows_ + written[bucket],
                                  buffers[bucket]);
      written[bucket] += static_cast<std::int64_t>(buffers[bucket].size()) / record_bytes_;
      buffers[bucket].clear();
    };
    const std::int64_t step = rows_at_a_time(source.info());
    std::vector<std::byte> some(static_cast<std::size_t>(step * row_bytes_));
    for (std::int64_t first = 0; first < rows_; first += step) {
      const std::int64_t count = std::min(step, rows_ - first);
      source.read_rows(first, count, std::span(some).first(static_cast<std::size_t>(count * row_bytes_)));
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t place = order.position_of(first + i);
        const auto bucket = static_cast<std::size_t>(place / bucket_rows_);
        const auto* number = reinterpret_cast<const std::uint8_t*>(&place);
        const auto* row = reinterpret_cast<const std::uint8_t*>(some.data()) + i * row_bytes_;
        buffers[bucket].insert(buffers[bucket].end(), number, number + sizeof(place));
        buffers[bucket].insert(buffers[bucket].end(), row, row + row_bytes_);
        if (static_cast<std::int64_t>(buffers[bucket].size()) + record_bytes_ > kBufferBytes) flush(bucket);
      }
    }
    for (std::size_t bucket = 0; bucket < buffers.size(); ++bucket) flush(bucket);
    records.close();
    file.close();
  }

  void load() {
    const std::int64_t count = std::min(bucket_rows_, rows_ - place_);
    const std::span<std::uint8_t> records =
        std::span(records_).first(static_cast<std::size_t>(count * record_bytes_));
    filled_->root().dataset("rows").read_rows<std::uint8_t>(place_, count, records);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint8_t* record = records.data() + i * record_bytes_;
      std::int64_t place = 0;
      std::memcpy(&place, record, sizeof(place));
      std::memcpy(sorted_.data() + (place - place_) * row_bytes_, record + sizeof(place),
                  static_cast<std::size_t>(row_bytes_));
    }
  }

  std::int64_t rows_, row_bytes_, record_bytes_, bucket_rows_, place_ = 0;
  io::AtomicFile scratch_;  ///< never takes its name: goes away with this object
  std::optional<io::Hdf5File> filled_;
  std::vector<std::byte> sorted_;
  std::vector<std::uint8_t> records_;
};

}  // namespace

std::unique_ptr<OrderedRows> ordered_rows(data::ArraySource& source, const data::Sampler& order,
                                          std::int64_t memory_bytes, const std::string& output) {
  if (!source.has_rows()) return std::make_unique<InMemory>(source, order);
  if (order.order() == data::Order::kFile) return std::make_unique<AsInFile>(source);
  if (source.info().bytes() <= memory_bytes) return std::make_unique<InMemory>(source, order);
  // A bucket is in memory twice, as it was written and sorted.
  const std::int64_t bucket_rows = std::max<std::int64_t>(1, memory_bytes / 3 / row_bytes_of(source.info()));
  return std::make_unique<Buckets>(source, order, bucket_rows, output);
}

}  // namespace nntrain::cli
