// Nodes that read together have the rows that memory would give, and read each of them once in all.

#include "data/block_share.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "data/block_stream.h"
#include "data/file_state.h"
#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

constexpr std::int64_t kWidth = 2, kFirst = 3, kRows = 97;
const std::vector<std::int64_t> kCuts = {20, 23, 90};

std::vector<float> all_values() {
  std::vector<float> values(static_cast<std::size_t>((kFirst + kRows) * kWidth));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

class CountingSource : public ArraySource {
 public:
  CountingSource(std::vector<int>& reads, std::int64_t broken) : reads_(reads), broken_(broken) {
    info_.rows = kFirst + kRows;
    info_.sample = Shape{kWidth};
  }
  const ArrayInfo& info() const override { return info_; }
  void read(std::span<std::byte>) override {}
  bool has_rows() const override { return true; }
  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    if (first <= broken_ && broken_ < first + count) throw InputError("row 50 is broken");
    for (std::int64_t i = first; i < first + count; ++i) ++reads_[static_cast<std::size_t>(i)];
    std::memcpy(memory.data(), values_.data() + first * kWidth, memory.size());
  }

 private:
  ArrayInfo info_;
  std::vector<float> values_ = all_values();
  std::vector<int>& reads_;
  std::int64_t broken_;
};

/// Messages between threads. Short ones leave at once, as MPI's do; long ones when they are asked for.
class PostOffice {
 public:
  explicit PostOffice(bool at_once) : at_once_(at_once) {}

  class Counter : public BlockMail {
   public:
    Counter(PostOffice& office, int rank) : office_(office), rank_(rank) {}
    void send(int rank, std::span<const std::byte> bytes, std::int64_t ticket) override {
      const std::lock_guard lock(office_.mutex_);
      Way& way = office_.ways_[{rank_, rank}];
      way.sent.push_back({bytes, {}, ticket});
      if (office_.at_once_) {
        Letter& letter = way.sent.back();
        letter.copy.assign(bytes.begin(), bytes.end());
        office_.ended_[rank_].push_back({ticket, static_cast<std::int64_t>(bytes.size())});
      }
      office_.match(rank_, rank, way);
    }
    void receive(int rank, std::span<std::byte> bytes, std::int64_t ticket) override {
      const std::lock_guard lock(office_.mutex_);
      Way& way = office_.ways_[{rank, rank_}];
      way.asked.push_back({bytes, ticket});
      office_.match(rank, rank_, way);
    }
    void look(const Ended& ended) override {
      std::vector<std::pair<std::int64_t, std::int64_t>> mine;
      {
        const std::lock_guard lock(office_.mutex_);
        mine.swap(office_.ended_[rank_]);
      }
      for (const auto& [ticket, bytes] : mine) ended(ticket, bytes);
    }

   private:
    PostOffice& office_;
    int rank_;
  };

  /// What comm::Mail::settle() does.
  void settle() {
    ways_.clear();
    ended_.clear();
  }

 private:
  struct Letter {
    std::span<const std::byte> bytes;
    std::vector<std::byte> copy;
    std::int64_t ticket;
  };
  struct Wish {
    std::span<std::byte> bytes;
    std::int64_t ticket;
  };
  struct Way {
    std::deque<Letter> sent;
    std::deque<Wish> asked;
  };

  void match(int from, int to, Way& way) {
    while (!way.sent.empty() && !way.asked.empty()) {
      const Letter& letter = way.sent.front();
      const Wish& wish = way.asked.front();
      const std::span<const std::byte> bytes = at_once_ ? std::span(letter.copy) : letter.bytes;
      ASSERT_LE(bytes.size(), wish.bytes.size());
      std::copy(bytes.begin(), bytes.end(), wish.bytes.begin());
      if (!at_once_) ended_[from].push_back({letter.ticket, static_cast<std::int64_t>(bytes.size())});
      ended_[to].push_back({wish.ticket, static_cast<std::int64_t>(bytes.size())});
      way.sent.pop_front();
      way.asked.pop_front();
    }
  }

  bool at_once_;
  std::mutex mutex_;
  std::map<std::pair<int, int>, Way> ways_;
  std::map<int, std::vector<std::pair<std::int64_t, std::int64_t>>> ended_;
};

StreamShape shape_of(std::int64_t block_rows, std::int64_t window, std::int64_t more_slots,
                     const std::vector<int>& nodes) {
  StreamShape shape;
  shape.sample_size = kWidth;
  shape.first = kFirst;
  shape.blocks = RowBlocks(kRows, block_rows, kCuts);
  shape.slots = std::max<std::int64_t>(1, std::min(window, shape.blocks.count())) + more_slots;
  shape.nodes = nodes;
  return shape;
}

Sampler sampler_of(const StreamShape& shape, std::int64_t epoch, std::int64_t window) {
  if (window == 0) return {kRows, 7, epoch, Order::kFile};
  return {kRows, 7, epoch, BlockOrder{shape.blocks.block_rows(), window, kCuts}};
}

std::vector<float> from_memory(const Sampler& sampler) {
  const std::vector<float> values = all_values();
  std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
  gather({reinterpret_cast<const std::byte*>(values.data()), Element::kFloat32, kWidth, kFirst, kRows},
         sampler, 0, kRows, 0.5F, out.data());
  return out;
}

/// Every rank of a job, a thread each; a ring and a reader for each node.
struct Job {
  Job(const StreamShape& its_shape, bool at_once, std::int64_t broken = -1)
      : shape(its_shape), office(at_once) {
    int rank = 0;
    for (std::size_t node = 0; node < shape.nodes.size(); ++node) {
      StreamShape mine = shape;
      mine.node = static_cast<int>(node);
      mine.ranks = shape.nodes[node];
      reads.emplace_back(static_cast<std::size_t>(kFirst + kRows), 0);
      memories.emplace_back(static_cast<std::size_t>(mine.memory_bytes() + 64));
    }
    for (std::size_t node = 0; node < shape.nodes.size(); ++node) {
      StreamShape mine = shape;
      mine.node = static_cast<int>(node);
      mine.ranks = shape.nodes[node];
      void* at = memories[node].data();
      std::size_t room = memories[node].size();
      std::align(64, static_cast<std::size_t>(mine.memory_bytes()), at, room);
      const std::span<std::byte> memory(static_cast<std::byte*>(at),
                                        static_cast<std::size_t>(mine.memory_bytes()));
      for (int i = 0; i < mine.ranks; ++i, ++rank) {
        counters.push_back(std::make_unique<PostOffice::Counter>(office, rank));
        streams.push_back(std::make_unique<BlockStream>(
            mine, memory, i, i == 0 ? std::make_unique<CountingSource>(reads[node], broken) : nullptr,
            counters.back().get()));
        node_of.push_back(static_cast<int>(node));
      }
    }
  }

  void begin(const Sampler& sampler, std::int64_t position) {
    for (const auto& stream : streams) stream->stop();
    office.settle();
    ++pass;
    for (const auto& stream : streams) stream->begin(sampler, pass, position);
  }

  /// Batches until `end`, each rank its share. Ranks that are done wait for the others. Returns which ranks
  /// missed rows.
  std::vector<int> use(std::int64_t position, std::int64_t end, std::int64_t batch, std::vector<float>& out) {
    std::vector<int> missed(streams.size(), 0);
    std::atomic<std::size_t> done{0};
    std::vector<std::thread> threads;
    for (std::size_t rank = 0; rank < streams.size(); ++rank)
      threads.emplace_back([&, rank] {
        const auto r = static_cast<std::int64_t>(rank), ranks = static_cast<std::int64_t>(streams.size());
        for (std::int64_t begin = position; begin < end; begin += batch) {
          const std::int64_t rows = std::min(batch, kRows - begin);
          const std::int64_t from = begin + rows * r / ranks, to = begin + rows * (r + 1) / ranks;
          if (!streams[rank]->gather(from, to - from, 0.5F, out.data() + from * kWidth)) missed[rank] = 1;
          streams[rank]->release(begin + rows);
        }
        ++done;
        while (done < streams.size()) {
          streams[rank]->attend();
          std::this_thread::yield();
        }
      });
    for (std::thread& thread : threads) thread.join();
    return missed;
  }

  int reads_of(std::int64_t row) const {
    int all = 0;
    for (const auto& node : reads) all += node[static_cast<std::size_t>(row)];
    return all;
  }

  StreamShape shape;
  PostOffice office;
  std::int64_t pass = 0;
  std::vector<std::vector<int>> reads;  ///< by node and row
  std::vector<std::vector<std::byte>> memories;
  std::vector<std::unique_ptr<PostOffice::Counter>> counters;
  std::vector<std::unique_ptr<BlockStream>> streams;
  std::vector<int> node_of;
};

const std::vector<std::vector<int>> kJobs = {{2, 1}, {1, 3, 1}, {1, 1, 1, 1, 1}};

TEST(BlockShare, NodesHaveWhatMemoryGivesAndReadEachRowOnceTogether) {
  int turn = 0;
  for (const auto& nodes : kJobs)
    for (const std::int64_t block_rows : {2, 7, 200})
      for (const std::int64_t window : {0, 1, 3, 1000})
        for (const std::int64_t more_slots : {0, 4})
          for (const std::int64_t batch : {5, 97}) {
            if (block_rows == 2 && more_slots == 0) continue;  // block after block, each waited for: slow
            Job job(shape_of(block_rows, window, more_slots, nodes), ++turn % 3 == 0);
            for (std::int64_t epoch = 0; epoch < 1 + turn % 2; ++epoch) {
              const Sampler sampler = sampler_of(job.shape, epoch, window);
              std::vector<float> out(static_cast<std::size_t>(kRows * kWidth), -1.0F);
              job.begin(sampler, 0);
              ASSERT_EQ(job.use(0, kRows, batch, out), std::vector<int>(job.streams.size(), 0));
              ASSERT_EQ(out, from_memory(sampler))
                  << nodes.size() << " " << block_rows << " " << window << " " << more_slots << " " << batch;
              for (std::int64_t row = 0; row < kFirst + kRows; ++row)
                ASSERT_EQ(job.reads_of(row), row >= kFirst ? epoch + 1 : 0) << row;
            }
          }
}

TEST(BlockShare, TheNodesReadAboutAsMuchEach) {
  for (const std::int64_t window : {0, 8}) {
    Job job(shape_of(1, window, 8, {1, 2, 1}), false);
    std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
    job.begin(sampler_of(job.shape, 0, window), 0);
    job.use(0, kRows, 10, out);
    for (const auto& node : job.reads)
      EXPECT_NEAR(std::accumulate(node.begin(), node.end(), 0), kRows / 3.0, 2.0);
  }
}

TEST(BlockShare, PassesMayBeGivenUpAndBeginInTheMiddle) {
  Job job(shape_of(7, 2, 2, {2, 1}), false);
  std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    job.begin(sampler_of(job.shape, epoch, 2), 0);
    job.use(0, epoch * 4, 8, out);
  }
  const Sampler sampler = sampler_of(job.shape, 3, 2);
  const std::vector<float> expected = from_memory(sampler);
  out = expected;
  std::fill(out.begin() + 60 * kWidth, out.end(), -1.0F);
  for (auto& node : job.reads) std::fill(node.begin(), node.end(), 0);
  job.begin(sampler, 60);
  EXPECT_EQ(job.use(60, kRows, 8, out), std::vector<int>(3, 0));
  EXPECT_EQ(out, expected);
  std::int64_t total = 0;
  for (std::int64_t row = 0; row < kFirst + kRows; ++row) total += job.reads_of(row);
  EXPECT_GE(total, kRows - 60);
  EXPECT_LE(total, kRows - 60 + 14);
}

/// Wherever the row is read: every rank misses rows instead of waiting, and the reader's node says which.
TEST(BlockShare, WhatOneNodeFailsOfAllNodesLearnAndOneTells) {
  for (const std::int64_t window : {0, 2})
    for (const std::int64_t broken : {kFirst, std::int64_t{50}, kFirst + kRows - 1})
      for (const auto& nodes : kJobs) {
        Job job(shape_of(7, window, 2, nodes), false, broken);
        std::vector<float> out(static_cast<std::size_t>(kRows * kWidth));
        job.begin(sampler_of(job.shape, 0, window), 0);
        const std::vector<int> missed = job.use(0, kRows, 97, out);
        EXPECT_GT(std::accumulate(missed.begin(), missed.end(), 0), 0);
        std::map<int, int> tell;
        for (std::size_t rank = 0; rank < job.streams.size(); ++rank) {
          try {
            job.streams[rank]->check();
          } catch (const InputError& error) {
            EXPECT_STREQ(error.what(), "row 50 is broken");
            ++tell[job.node_of[rank]];
          }
        }
        ASSERT_EQ(tell.size(), 1U);
        EXPECT_EQ(tell.begin()->second, nodes[static_cast<std::size_t>(tell.begin()->first)]);
      }
}

TEST(SharedFiles, ACopyIsAnotherFileHoweverItWasMade) {
  namespace fs = std::filesystem;
  const test::Scratch scratch;
  const std::string one = scratch.write("one.csv", "a,b\n1,2\n");
  const std::string identity = identity_of_files(one);
  EXPECT_NE(identity, "");
  EXPECT_EQ(identity_of_files(one), identity);
  const std::string linked = scratch.path("linked.csv");
  fs::create_hard_link(one, linked);  // changes the file's time of change: both names have the new one
  EXPECT_EQ(identity_of_files(linked), identity_of_files(one));
  std::string copied;
  do {  // until the clock of files has moved on
    copied = scratch.write("copy.csv", "a,b\n1,2\n");
    fs::last_write_time(copied, fs::last_write_time(one));
  } while (identity_of_files(copied) == identity_of_files(one));
  EXPECT_EQ(fs::last_write_time(copied), fs::last_write_time(one));
  EXPECT_EQ(identity_of_files(scratch.path("none.csv")), "");
  EXPECT_NE(identity_of_files(one + ", " + copied), identity_of_files(copied + ", " + one));
}

}  // namespace
}  // namespace nntrain::data
