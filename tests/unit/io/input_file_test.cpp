#include "io/input_file.h"

#include <gtest/gtest.h>

#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::gzip;
using test::message_of;
using test::Scratch;

std::string sample_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>((state >> 24U) & 63U);  // compressible, but not flat
  }
  return bytes;
}

std::string read_all(InputFile& file, std::size_t piece) {
  std::string all;
  std::string part(piece, '\0');
  for (;;) {
    const std::size_t got = file.read_some(std::as_writable_bytes(std::span(part)));
    all.append(part, 0, got);
    if (got < piece) return all;
  }
}

TEST(InputFile, PlainAndGzipGiveTheSameBytes) {
  const Scratch scratch;
  const std::string bytes = sample_bytes(3'000'000);
  const std::string plain = scratch.write("a", bytes);
  const std::string zipped = scratch.write("a.gz", gzip(bytes));
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, std::size_t{5'000'000}}) {
    for (const std::string& path : {plain, zipped}) {
      InputFile file(path, "key");
      const auto start = file.peek();
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(start.data()), start.size()),
                bytes.substr(0, 65536));
      EXPECT_EQ(read_all(file, piece), bytes);
    }
  }
  EXPECT_TRUE(InputFile(zipped).compressed());
  EXPECT_FALSE(InputFile(plain).compressed());
  EXPECT_EQ(InputFile(plain).file_bytes(), 3'000'000);
}

TEST(InputFile, ReadExactlyAndTheEnd) {
  const Scratch scratch;
  const std::string path = scratch.write("a.gz", gzip("abcdef"));
  std::string part(4, '\0');
  InputFile file(path, "data.inputs");
  file.read_exactly(std::as_writable_bytes(std::span(part)), "the header");
  EXPECT_EQ(part, "abcd");
  EXPECT_TRUE(
      contains(message_of<InputError>([&] { file.expect_end("4 bytes"); }), "holds more than 4 bytes"));
  InputFile again(path, "data.inputs");
  part.resize(7);
  const std::string message = message_of<InputError>(
      [&] { again.read_exactly(std::as_writable_bytes(std::span(part)), "the header"); });
  EXPECT_TRUE(contains(message, "data.inputs"));
  EXPECT_TRUE(contains(message, "1 of the 7 bytes of the header are missing"));
}

TEST(InputFile, SeveralMembersAndPadding) {
  const Scratch scratch;
  const std::string path =
      scratch.write("a.gz", gzip("one") + gzip("") + gzip("two") + std::string(512, '\0'));
  InputFile file(path);
  EXPECT_EQ(read_all(file, 100), "onetwo");
  EXPECT_NO_THROW(InputFile(path).expect_stream_bytes(6, "x"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(path).expect_stream_bytes(7, "its header"); }),
                       "holds 6 bytes uncompressed, but its header needs 7"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(path).expect_stream_bytes(3, "its header"); }),
                       "needs 3"));
  InputFile garbage(scratch.write("b.gz", gzip("one") + "garbage"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { read_all(garbage, 100); }), "not gzip"));
}

TEST(InputFile, StreamLengthOfPlainFiles) {
  const Scratch scratch;
  const std::string path = scratch.write("a", "abc");
  EXPECT_NO_THROW(InputFile(path).expect_stream_bytes(3, "x"));
  EXPECT_TRUE(
      contains(message_of<InputError>([&] { InputFile(path).expect_stream_bytes(1LL << 62, "its header"); }),
               "holds 3 bytes, but its header needs 4611686018427387904; the file is truncated"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(path).expect_stream_bytes(2, "its header"); }),
                       "appended"));
}

TEST(InputFile, ALyingTrailerPromisesAtMostDeflatesLimit) {
  const Scratch scratch;
  std::string bytes = gzip("abc");
  // The trailer says 0x7FFFFFFF bytes; 23 bytes of gzip cannot hold them.
  bytes.replace(bytes.size() - 4, 4, "\xFF\xFF\xFF\x7F");
  const std::string path = scratch.write("a.gz", bytes);
  EXPECT_THROW(InputFile(path).expect_stream_bytes(0x7FFFFFFF, "x"), InputError);
  EXPECT_THROW(InputFile(path).expect_stream_bytes(0x17FFFFFFFLL, "x"), InputError);
}

TEST(InputFile, EveryTruncationIsFound) {
  const Scratch scratch;
  const std::string whole = gzip(sample_bytes(600));
  for (std::size_t length = 2; length < whole.size(); ++length) {
    InputFile file(scratch.write("a.gz", whole.substr(0, length)));
    EXPECT_TRUE(contains(message_of<InputError>([&] { read_all(file, 4096); }), "a.gz")) << length;
  }
}

TEST(InputFile, DamageIsFound) {
  const Scratch scratch;
  const std::string bytes = sample_bytes(600);
  const std::string whole = gzip(bytes);
  std::size_t harmless = 0;
  for (std::size_t at = 10; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    InputFile file(scratch.write("a.gz", damaged));
    try {
      EXPECT_EQ(read_all(file, 4096), bytes) << at;
      ++harmless;
    } catch (const InputError& error) {
      EXPECT_TRUE(contains(error.what(), "a.gz"));
    }
  }
  EXPECT_LE(harmless, 1U);  // the bits that fill the last byte of the compressed data
}

TEST(InputFile, WhatIsNoFile) {
  const Scratch scratch;
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(scratch.path("no"), "data.inputs"); }),
                       "cannot open data.inputs"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(scratch.folder(), ""); }), "is a folder"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile(scratch.write("e", ""), ""); }), "is empty"));
  EXPECT_TRUE(contains(message_of<InputError>([&] { InputFile("/dev/zero", ""); }), "not a regular file"));
}

}  // namespace
}  // namespace nntrain::io
