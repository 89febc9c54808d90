// Compressed chunks, which are inflated by libdeflate where they are plain: the same numbers as from libhdf5,
// whatever rows are asked for.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_bit_filters.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

constexpr std::int64_t kRows = 300, kColumns = 6,
                       kChunk = 64;  // as tests/unit/io/files/make_files.py has them

std::int64_t integer_at(std::int64_t row, std::int64_t column) {
  return (row * kColumns + column) * 31 % 251;
}

template <class T>
T expected(const std::string& name, std::int64_t row, std::int64_t column) {
  const bool whole = name == "bytes" || name == "shuffled_bytes" || name == "integers";
  const double value = static_cast<double>(integer_at(row, column)) / (whole ? 1 : 8);
  if (name == "holes" && row / kChunk != 1) return T{5};
  return static_cast<T>(value);
}

template <class T>
void expect_rows(const Hdf5Dataset& dataset, const std::string& name, std::int64_t first,
                 std::int64_t count) {
  std::vector<T> values(static_cast<std::size_t>(count * kColumns), T{77});
  dataset.read_rows(first, count, std::span<T>(values));
  for (std::int64_t i = 0; i < count * kColumns; ++i) {
    ASSERT_EQ(values[static_cast<std::size_t>(i)], expected<T>(name, first + i / kColumns, i % kColumns))
        << name << " row " << first + i / kColumns << " of " << first << " + " << count;
  }
}

template <class T>
void expect_all(const Hdf5File& file, const std::string& name) {
  const Hdf5Dataset dataset = file.root().dataset(name);
  for (const std::int64_t first : {0, 1, 63, 64, 65, 128, 191, 256, 299}) {
    for (const std::int64_t count : {1, 2, 44, 63, 64, 65, 128, 129, 172, 236, 300}) {
      if (first + count <= kRows) expect_rows<T>(dataset, name, first, count);
    }
  }
  const std::vector<T> all = file.root().dataset(name).read_all<T>();
  for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
    ASSERT_EQ(all[static_cast<std::size_t>(i)], expected<T>(name, i / kColumns, i % kColumns))
        << name << " " << i;
  }
}

TEST(CompressedChunks, AnyRowsOfAnyLayoutAreWhatWasWritten) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/chunks.h5");
  for (const char* name : {"bytes", "floats", "shuffled", "shuffled_bytes", "summed", "big", "integers",
                           "doubles", "halves", "holes", "as_is"}) {
    expect_all<float>(file, name);
    expect_all<double>(file, name);
  }
  for (const char* name : {"bytes", "shuffled_bytes"}) expect_all<std::uint8_t>(file, name);
  expect_all<std::int32_t>(file, "integers");
  expect_all<std::int32_t>(file, "floats");  // four bytes each, and no numbers of the same kind
}

TEST(CompressedChunks, OurOwnAreReadBack) {
  const Scratch scratch;
  const std::string path = scratch.path("own.h5");
  std::vector<float> values(kRows * kColumns);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.37F - 100;
  for (const std::int64_t chunk_rows : {1, 7, 300}) {
    Hdf5File file = Hdf5File::create(path);
    Hdf5Rows rows =
        file.root().create_rows<float>("x", Shape({kRows, kColumns}), {.chunk_rows = chunk_rows, .gzip = 4});
    rows.write<float>(0, values);
    rows.close();
    file.close();
    EXPECT_EQ(Hdf5File::open(path).root().dataset("x").read_all<float>(), values);
  }
}

// libhdf5 1.10 reads behind the end of a chunk that inflates to less.
TEST(CompressedChunks, AChunkOfAnotherLengthIsRefused) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/chunks.h5");
  for (const char* name : {"short", "long"}) {
    const Hdf5Dataset dataset = file.root().dataset(name);
    std::vector<std::uint8_t> values(kRows * kColumns);
    const std::string message = message_of<InputError>([&] { dataset.read(std::span(values)); });
    EXPECT_TRUE(contains(message, "the chunk of rows 64 to 128 does not inflate to its 384 bytes"));
    EXPECT_TRUE(contains(message, std::string("/") + name));
    const std::span<std::uint8_t> first(values.data(), kChunk * kColumns);
    dataset.read_rows(0, kChunk, first);  // the others are whole
  }
}

// The same of layouts and of parts of chunks that are left to libhdf5.
TEST(ChunkLengths, AnotherThanTheDatasetsIsRefused) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/chunk_lengths.h5");
  const auto read = [&](const std::string& name, std::int64_t first, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count * kColumns));
    file.root().dataset(name).read_rows(first, count, std::span<float>(values));
    return values;
  };
  for (const std::string layout : {"doubles", "integers", "halves", "summed", "sums", "as_is", "bare"}) {
    std::vector<float> all = read(layout + "_right", 0, kRows);
    for (std::int64_t i = 0; i < kRows * kColumns; ++i)
      ASSERT_EQ(all[static_cast<std::size_t>(i)],
                static_cast<float>(integer_at(i / kColumns, i % kColumns) % 100));
    for (const char* wrong : {"_short", "_long"}) {
      for (const std::int64_t first : {0, 64, 127}) {
        const std::string message =
            message_of<InputError>([&] { read(layout + wrong, first, first == 0 ? kRows : 1); });
        EXPECT_TRUE(contains(message, "/" + layout + wrong)) << message;
        EXPECT_TRUE(contains(message, "the chunk of rows 64 to 128")) << message;
      }
      EXPECT_EQ(read(layout + wrong, 0, kChunk), read(layout + "_right", 0, kChunk));
      EXPECT_EQ(read(layout + wrong, 128, 172), read(layout + "_right", 128, 172));
    }
  }
}

// Packed bits, of which libhdf5 1.10 reads as many as the dataset's header and the chunk's own say.
TEST(ChunkLengths, OfPackedBits) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/chunk_bits.h5");
  const auto read = [&](const std::string& name, std::int64_t first, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count * kColumns));
    file.root().dataset(name).read_rows(first, count, std::span<float>(values));
    return values;
  };
  for (const std::string packed : {"scaled", "scaled_doubles", "scaled_integers", "scaled_alike",
                                   "scaled_gzip", "scaled_shuffled", "nbit", "nbit_whole", "nbit_gzip"}) {
    const std::vector<float> all = read(packed + "_right", 0, kRows);
    for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
      const auto expected = static_cast<float>(packed == "scaled_alike" ? 7 : i * 31 % 100);
      ASSERT_NEAR(all[static_cast<std::size_t>(i)], expected, 1e-2) << packed << " " << i;
    }
    const std::string cut = packed + "_short";
    for (const std::int64_t first : {0, 64, 127}) {
      const std::string message = message_of<InputError>([&] { read(cut, first, first == 0 ? kRows : 1); });
      EXPECT_TRUE(contains(message, "/" + cut)) << message;
      EXPECT_TRUE(contains(message, "the chunk of rows 64 to 128")) << message;
    }
    EXPECT_EQ(read(cut, 0, kChunk), read(packed + "_right", 0, kChunk));
  }
}

TEST(ChunkLengths, AWordAboutPackedBitsThatCannotBe) {
  using detail::bytes_of_bits;
  using detail::kNbit;
  using detail::kScaleOffset;
  const auto scaled = [](unsigned elements, unsigned size, unsigned bits, std::size_t count = 20) {
    std::vector<unsigned> values(count);
    values[2] = elements;
    values[4] = size;
    std::vector<unsigned char> chunk(30);
    for (int i = 0; i < 4; ++i)
      chunk[static_cast<std::size_t>(i)] = static_cast<unsigned char>(bits >> 8 * i);
    return bytes_of_bits(kScaleOffset, values, chunk, 400);
  };
  EXPECT_EQ(scaled(100, 4, 0), 21U);
  EXPECT_EQ(scaled(100, 4, 7), 21U + 88U);  // 87.5
  EXPECT_EQ(scaled(100, 4, 32), 421U);
  EXPECT_FALSE(scaled(100, 4, 33));
  EXPECT_FALSE(scaled(100, 4, 0xFFFFFFFF));
  EXPECT_FALSE(scaled(101, 4, 7));
  EXPECT_FALSE(scaled(0x80000064, 8, 7));  // 400 more than a multiple of 2^32
  EXPECT_FALSE(scaled(100, 4, 7, 19));
  EXPECT_FALSE(bytes_of_bits(kScaleOffset, std::vector<unsigned>(20), {}, 0));
  const auto nbit = [](const std::vector<unsigned>& values) { return bytes_of_bits(kNbit, values, {}, 400); };
  EXPECT_EQ(nbit({8, 0, 100, 1, 4, 0, 17, 0}), 213U);  // 212.5
  EXPECT_EQ(nbit({8, 1, 100, 1, 4, 0, 17, 0}), 400U);
  EXPECT_EQ(nbit({8, 0, 100, 1, 4, 0, 17, 15}), 213U);
  EXPECT_FALSE(nbit({8, 0, 100, 1, 4, 0, 17, 16}));
  EXPECT_FALSE(nbit({8, 0, 100, 1, 4, 0, 0xFFFFFFFF, 1}));
  EXPECT_FALSE(nbit({8, 0, 100, 1, 4, 0, 0, 0}));
  EXPECT_FALSE(nbit({8, 0, 100, 1, 2, 0, 8, 0}));
  EXPECT_FALSE(nbit({8, 0, 100, 3, 4, 0, 17, 0}));  // a compound
  EXPECT_FALSE(nbit({7, 0, 100, 1, 4, 0, 17}));
  EXPECT_FALSE(nbit({1}));
}

TEST(ChunkLengths, PartsOfPlainChunks) {
  const Hdf5File file = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/chunks.h5");
  std::vector<std::uint8_t> values(10 * kColumns);
  for (const char* name : {"short", "long"}) {
    const Hdf5Dataset dataset = file.root().dataset(name);
    dataset.read_rows(54, 10, std::span(values));
    const std::string message = message_of<InputError>([&] { dataset.read_rows(60, 10, std::span(values)); });
    EXPECT_TRUE(contains(message, "the chunk of rows 64 to 128 does not inflate to its 384 bytes"));
  }
}

TEST(CompressedChunks, EveryDamagedByteIsFound) {
  const Scratch scratch;
  const std::string path = scratch.path("own.h5");
  std::vector<std::uint8_t> values(kRows * kColumns);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * i % 251);
  {
    Hdf5File file = Hdf5File::create(path);
    Hdf5Rows rows = file.root().create_rows<std::uint8_t>("x", Shape({kRows, kColumns}),
                                                          {.chunk_rows = kRows, .gzip = 4});
    rows.write<std::uint8_t>(0, values);
    rows.close();
    file.close();
  }
  const std::string whole = test::read_file(path);
  const std::size_t begin = whole.find("\x78\x5E");  // a zlib stream of level 4 begins so
  ASSERT_NE(begin, std::string::npos);
  int refused = 0;
  for (std::size_t at = begin; at < begin + 200; ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    scratch.write("damaged.h5", damaged);
    try {
      const auto read =
          Hdf5File::open(scratch.path("damaged.h5")).root().dataset("x").read_all<std::uint8_t>();
      EXPECT_EQ(read, values) << at;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 190);
}

}  // namespace
}  // namespace nntrain::io
