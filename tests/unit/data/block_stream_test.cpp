// Streamed rows are the rows that memory would give: in every order, with any ring, by any number of ranks.

#include "data/block_stream.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <memory>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

constexpr std::int64_t kWidth = 3, kFirst = 4, kRows = 101;

std::vector<float> all_values() {
  std::vector<float> values(static_cast<std::size_t>((kFirst + kRows + 2) * kWidth));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

/// Counts how often rows are read; one of them may be broken.
class CountingSource : public ArraySource {
 public:
  CountingSource(std::vector<int>* reads, std::int64_t broken) : reads_(reads), broken_(broken) {
    info_.rows = kFirst + kRows + 2;
    info_.sample = Shape{kWidth};
  }
  const ArrayInfo& info() const override { return info_; }
  void read(std::span<std::byte>) override {}
  bool has_rows() const override { return true; }
  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    if (first <= broken_ && broken_ < first + count) throw InputError("row 50 is broken");
    for (std::int64_t i = first; i < first + count; ++i) ++(*reads_)[static_cast<std::size_t>(i)];
    std::memcpy(memory.data(), values_.data() + first * kWidth, memory.size());
  }

 private:
  ArrayInfo info_;
  std::vector<float> values_ = all_values();
  std::vector<int>* reads_;
  std::int64_t broken_;
};

/// A disk that waits until it is told to go on.
class WaitingSource : public CountingSource {
 public:
  WaitingSource(std::vector<int>* reads, std::shared_future<void> go_on)
      : CountingSource(reads, -1), go_on_(std::move(go_on)) {}
  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    go_on_.wait();
    CountingSource::read_rows(first, count, memory);
  }

 private:
  std::shared_future<void> go_on_;
};

struct Ring {
  explicit Ring(const StreamShape& its_shape, std::int64_t broken = -1) : shape(its_shape) {
    memory.resize(static_cast<std::size_t>(shape.memory_bytes() + 64));
    void* at = memory.data();
    std::size_t room = memory.size();
    std::align(64, static_cast<std::size_t>(shape.memory_bytes()), at, room);
    const std::span<std::byte> aligned(static_cast<std::byte*>(at),
                                       static_cast<std::size_t>(shape.memory_bytes()));
    for (int rank = 0; rank < shape.ranks; ++rank)
      streams.push_back(std::make_unique<BlockStream>(
          shape, aligned, rank, rank == 0 ? std::make_unique<CountingSource>(&reads, broken) : nullptr));
  }

  /// Each rank's share of every batch from `position` on; what it threw.
  std::vector<std::string> epoch(const Sampler& sampler, std::int64_t position, std::int64_t batch,
                                 std::vector<float>& out) {
    for (const auto& stream : streams) stream->begin(sampler, ++pass, position);
    std::vector<std::string> errors(streams.size());
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < streams.size(); ++rank)
      threads.emplace_back([&, rank] {
        try {
          for (std::int64_t begin = position; begin < kRows; begin += batch) {
            const std::int64_t rows = std::min(batch, kRows - begin), ranks = shape.ranks;
            const auto r = static_cast<std::int64_t>(rank);
            const std::int64_t from = begin + rows * r / ranks, to = begin + rows * (r + 1) / ranks;
            const bool there = streams[rank]->gather(from, to - from, 0.5F, out.data() + from * kWidth);
            streams[rank]->release(begin + rows);
            if (!there) streams[rank]->check();
          }
        } catch (const InputError& error) {
          errors[rank] = error.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    return errors;
  }

  StreamShape shape;
  std::int64_t pass = 0;
  std::vector<int> reads = std::vector<int>(static_cast<std::size_t>(kFirst + kRows + 2), 0);
  std::vector<std::byte> memory;
  std::vector<std::unique_ptr<BlockStream>> streams;
};

StreamShape shape_of(std::int64_t block_rows, std::int64_t window, std::int64_t slots, int ranks) {
  StreamShape shape;
  shape.sample_size = kWidth;
  shape.first = kFirst;
  shape.blocks = RowBlocks(kRows, block_rows, {20, 23, 90});
  shape.slots = std::max<std::int64_t>(1, std::min(window, shape.blocks.count())) + slots - 1;
  shape.ranks = ranks;
  return shape;
}

std::vector<float> from_memory(const Sampler& sampler) {
  const std::vector<float> values = all_values();
  const ArrayView view = {reinterpret_cast<const std::byte*>(values.data()), Element::kFloat32, kWidth,
                          kFirst, kRows};
  std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
  gather(view, sampler, 0, kRows, 0.5F, out.data());
  return out;
}

Sampler sampler_of(const StreamShape& shape, std::int64_t epoch, std::int64_t window) {
  if (window == 0) return {kRows, 7, epoch, Order::kFile};
  return {kRows, 7, epoch, BlockOrder{shape.blocks.block_rows(), window, {20, 23, 90}}};
}

TEST(BlockStream, GivesWhatMemoryGivesAndReadsEachRowOnce) {
  for (const std::int64_t block_rows : {1, 7, 64, 200})
    for (const std::int64_t window : {0, 1, 3, 1000})
      for (const std::int64_t slots : {1, 2, 5})
        for (const int ranks : {1, 3})
          for (const std::int64_t batch : {5, 32, 101}) {
            Ring ring(shape_of(block_rows, window, slots, ranks));
            for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
              const Sampler sampler = sampler_of(ring.shape, epoch, window);
              std::vector<float> out(static_cast<std::size_t>(kRows * kWidth), -1.0F);
              for (const std::string& error : ring.epoch(sampler, 0, batch, out)) ASSERT_EQ(error, "");
              ASSERT_EQ(out, from_memory(sampler))
                  << block_rows << " " << window << " " << slots << " " << ranks << " " << batch;
              for (std::int64_t row = 0; row < kFirst + kRows + 2; ++row)
                ASSERT_EQ(ring.reads[static_cast<std::size_t>(row)],
                          row >= kFirst && row < kFirst + kRows ? epoch + 1 : 0);
            }
          }
}

TEST(BlockStream, APassThatBeginsInTheMiddleReadsItsWindowAndWhatFollows) {
  for (const std::int64_t window : {0, 2}) {
    Ring ring(shape_of(7, window, 2, 2));
    const Sampler sampler = sampler_of(ring.shape, 3, window);
    const std::vector<float> expected = from_memory(sampler);
    std::vector<float> out(expected.begin(), expected.end());
    std::fill(out.begin() + 60 * kWidth, out.end(), -1.0F);
    for (const std::string& error : ring.epoch(sampler, 60, 8, out)) EXPECT_EQ(error, "");
    EXPECT_EQ(out, expected);
    const int total = std::accumulate(ring.reads.begin(), ring.reads.end(), 0);
    EXPECT_GE(total, kRows - 60);
    EXPECT_LE(total, kRows - 60 + 14);
    EXPECT_TRUE(ring.streams[0]->stands_at(ring.pass - 1, kRows));
    EXPECT_FALSE(ring.streams[0]->stands_at(ring.pass - 1, 60));
  }
}

TEST(BlockStream, APassThatIsGivenUpEndsAtOnce) {
  Ring ring(shape_of(7, 1, 2, 2));
  for (std::int64_t epoch = 0; epoch < 50; ++epoch)
    for (const auto& stream : ring.streams) stream->begin(sampler_of(ring.shape, epoch, 1), epoch, 0);
  std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
  const Sampler sampler = sampler_of(ring.shape, 50, 1);
  for (const std::string& error : ring.epoch(sampler, 0, 10, out)) EXPECT_EQ(error, "");
  EXPECT_EQ(out, from_memory(sampler));
}

TEST(BlockStream, WhatTheReaderFailsOfEveryRankLearns) {
  Ring ring(shape_of(7, 2, 2, 3), 50);
  std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
  for (const std::string& error : ring.epoch(sampler_of(ring.shape, 0, 2), 0, 10, out))
    EXPECT_EQ(error, "row 50 is broken");
}

TEST(SourceRows, AreThoseOfTheWholeForEveryFormatThatHasThem) {
  const test::Scratch scratch;
  std::vector<float> values(60);
  std::iota(values.begin(), values.end(), 0.0F);
  const std::vector<double> wide(values.begin(), values.end());
  scratch.write("f4.npy", test::npy("'<f4'", "False", "(20, 3)", test::raw_bytes(values)));
  scratch.write("f8.npy", test::npy("'<f8'", "False", "(20, 3)", test::raw_bytes(wide)));
  scratch.write("u1.npy", test::npy("'|u1'", "False", "(20, 3)", std::string(60, 'a')));
  scratch.write("part1.npy",
                test::npy("'<f4'", "False", "(3, 2)", test::raw_bytes(std::vector<float>(6, 1))));
  scratch.write("part2.npy",
                test::npy("'<f4'", "False", "(1, 2)", test::raw_bytes(std::vector<float>(2, 2))));
  scratch.write("part10.npy",
                test::npy("'<f4'", "False", "(5, 2)", test::raw_bytes(std::vector<float>(10, 3))));
  const std::string types = std::string(NNTRAIN_TESTS_DIR) + "/unit/io/files/types.h5:/";
  const std::string idx = test::idx_header(0x0B, {3, 2}) + std::string("\0\1\0\2\0\3\0\4\0\5\0\6", 12);
  scratch.write("a.idx", idx);
  scratch.write("a.idx.gz", test::gzip(idx));
  scratch.write("f4.npy.gz", test::gzip(test::npy("'<f4'", "False", "(20, 3)", test::raw_bytes(values))));
  scratch.write("t.csv", "a,b\n1,2\n3,4\n5,6\n");
  scratch.write("t.csv.gz", test::gzip("a,b\n1,2\n3,4\n5,6\n"));
  for (const std::string& path :
       {scratch.path("f4.npy"), scratch.path("f8.npy"), scratch.path("u1.npy"), scratch.path("a.idx"),
        scratch.path("a.idx.gz"), scratch.path("f4.npy.gz"), scratch.path("t.csv"), scratch.path("t.csv.gz"),
        scratch.path("part*.npy"), types + "gzip", types + "rank4", types + "u1"}) {
    const test::Loaded whole = test::load(path);
    SourceOptions options = test::options_for(path);
    options.by_rows = true;
    const std::unique_ptr<ArraySource> source = open_array(options);
    ASSERT_TRUE(source->has_rows()) << path;
    const std::int64_t row_bytes = whole.info.bytes() / whole.info.rows;
    const std::int64_t step = std::max<std::int64_t>(1, whole.info.rows / 7);
    for (std::int64_t first = whole.info.rows - 1; first >= 0; first -= step)
      for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, whole.info.rows - first}) {
        std::vector<std::byte> rows(static_cast<std::size_t>(count * row_bytes));
        source->read_rows(first, count, rows);
        ASSERT_TRUE(std::equal(rows.begin(), rows.end(), whole.memory.begin() + first * row_bytes)) << path;
      }
  }
}

/// Who reads may be stopped: whoever waits for it gets a look each moment, from the first second on.
TEST(BlockStream, LongWaitsAreToldToWhoeverAsks) {
  StreamShape shape = shape_of(10, 1, 2, 1);
  std::vector<int> reads(static_cast<std::size_t>(kFirst + kRows + 2), 0);
  alignas(64) static std::array<std::byte, 1 << 16> memory;
  ASSERT_LE(shape.memory_bytes(), static_cast<std::int64_t>(memory.size()));
  std::promise<void> go_on;
  BlockStream stream(shape, memory, 0,
                     std::make_unique<WaitingSource>(&reads, std::shared_future<void>(go_on.get_future())));
  std::vector<double> waits;
  stream.on_long_wait([&](double seconds) {
    waits.push_back(seconds);
    if (waits.size() == 3) go_on.set_value();
  });
  stream.begin(Sampler(kRows, 1, 0, Order::kFile), 0, 0);
  std::vector<float> out(static_cast<std::size_t>(10 * kWidth));
  EXPECT_TRUE(stream.gather(0, 10, 1.0F, out.data()));
  ASSERT_GE(waits.size(), 3U);
  EXPECT_GE(waits[0], 1.0);
  EXPECT_GT(waits[1], waits[0]);
  EXPECT_EQ(out[0], static_cast<float>(kFirst * kWidth));
  stream.stop();
}

TEST(SourceRows, AreCheckedAndCountedFromTheFilesBeginning) {
  const test::Scratch scratch;
  std::vector<float> values(20, 1.0F);
  values[15] = NAN;
  const std::string path =
      scratch.write("a.npy", test::npy("'<f4'", "False", "(10, 2)", test::raw_bytes(values)));
  const std::unique_ptr<ArraySource> source = open_array(test::options_for(path));
  std::vector<std::byte> rows(32);
  source->read_rows(0, 4, rows);
  const std::string error = test::message_of<InputError>([&] { source->read_rows(5, 4, rows); });
  EXPECT_TRUE(test::contains(error, "row 7, value 1")) << error;
  EXPECT_FALSE(open_array(test::options_for(scratch.write(
                              "f.npy", test::npy("'<f4'", "True", "(10, 2)", test::raw_bytes(values)))))
                   ->has_rows());
}

TEST(SourceRows, OfAFileThatChangesAreAnErrorThatSaysHow) {
  const test::Scratch scratch;
  const std::string bytes =
      test::npy("'<f4'", "False", "(10, 2)", test::raw_bytes(std::vector<float>(20, 1.0F)));
  std::vector<std::byte> rows(32);
  const auto error_after = [&](const std::function<void(const std::string&)>& change) {
    SourceOptions options = test::options_for(scratch.write("a.npy", bytes));
    options.by_rows = true;
    const std::unique_ptr<ArraySource> source = open_array(options);
    source->read_rows(2, 4, rows);
    change(options.source);
    return test::message_of<InputError>([&] { source->read_rows(2, 4, rows); });
  };
  namespace fs = std::filesystem;
  const std::string longer = error_after([&](const std::string&) { scratch.write("a.npy", bytes + "x"); });
  const std::string sizes =
      "it had " + std::to_string(bytes.size()) + " bytes, it has " + std::to_string(bytes.size() + 1);
  EXPECT_TRUE(test::contains(longer, "a.npy\" has changed while it was read: " + sizes)) << longer;
  const std::string touched = error_after([](const std::string& path) {
    fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(1));
  });
  EXPECT_TRUE(test::contains(touched, "it was written to")) << touched;
  const std::string gone = error_after([](const std::string& path) { fs::remove(path); });
  EXPECT_TRUE(test::contains(gone, "it is gone")) << gone;
}

TEST(Fingerprints, OfRowsReadByAndByAreThoseOfMemory) {
  const test::Scratch scratch;
  for (const std::int64_t count : {3, 512, 513, 5000}) {
    std::vector<float> values(static_cast<std::size_t>(count * 3));
    std::iota(values.begin(), values.end(), 0.0F);
    const std::string path = scratch.write(
        "a.npy", test::npy("'<f4'", "False", "(" + std::to_string(count) + ", 3)", test::raw_bytes(values)));
    const test::Loaded whole = test::load(path);
    const std::unique_ptr<ArraySource> source = open_array(test::options_for(path));
    const ReadRows from_file = [&](std::int64_t first, std::int64_t rows, std::span<std::byte> memory) {
      source->read_rows(first, rows, memory);
    };
    EXPECT_EQ(fingerprint(whole.info, from_file), fingerprint(whole.info, whole.memory));
    const std::string sampled = sampled_fingerprint(whole.info, from_file);
    for (const std::int64_t row : {std::int64_t{0}, count - 1}) {  // the ends are always among them
      std::vector<std::byte> other = whole.memory;
      other[static_cast<std::size_t>(row * 12)] ^= std::byte{1};
      const ReadRows changed = [&](std::int64_t first, std::int64_t rows, std::span<std::byte> memory) {
        std::copy_n(other.begin() + first * 12, rows * 12, memory.begin());
      };
      EXPECT_NE(sampled_fingerprint(whole.info, changed), sampled) << count << " " << row;
    }
  }
}

}  // namespace
}  // namespace nntrain::data
