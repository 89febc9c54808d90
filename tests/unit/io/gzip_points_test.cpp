// Seeking in gzip files.

#include "io/gzip_points.h"

#include <gtest/gtest.h>

#include "io/input_file.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::gzip;
using test::Scratch;

/// Compressible, and different everywhere.
std::string sample_text(std::size_t size) {
  std::string text;
  for (std::uint64_t i = 1; text.size() < size; ++i) text += std::to_string(i * 2654435761U % 100003) + ",";
  text.resize(size);
  return text;
}

std::string read_at(InputFile& file, std::int64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  file.seek(offset);
  bytes.resize(file.read_some(std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

TEST(GzipPoints, AnyPlaceOfAFileOfOneOrSeveralMembersIsRead) {
  const Scratch scratch;
  const std::string text = sample_text(6'000'000);
  const std::string one = scratch.write("one.gz", gzip(text));
  const std::string several = scratch.write(
      "several.gz", gzip(text.substr(0, 2'500'000)) + gzip("") + gzip(text.substr(2'500'000, 77)) +
                        gzip(text.substr(2'500'077)) + std::string(512, '\0'));
  for (const std::string& path : {one, several, scratch.write("plain", text)}) {
    const auto points = std::make_shared<GzipPoints>();
    InputFile file(path);
    file.use_points(points);
    for (const std::int64_t offset :
         {5'999'990, 3'000'000, 3'000'100, 0, 2'499'990, 2'500'070, 4'700'000, 1, 1'048'576, 6'000'000}) {
      EXPECT_EQ(read_at(file, offset, 100), text.substr(static_cast<std::size_t>(offset), 100))
          << path << offset;
    }
    if (!file.compressed()) continue;
    EXPECT_TRUE(points->is_complete());
    EXPECT_GE(points->count(), 4U);
    InputFile again(path);  // another reader with the same places
    again.use_points(points);
    EXPECT_EQ(read_at(again, 4'000'000, 1'999'000), text.substr(4'000'000, 1'999'000));
    EXPECT_EQ(read_at(again, 2'000'000, 3'000'000), text.substr(2'000'000, 3'000'000));
  }
}

TEST(GzipPoints, ReadingTheWholeFileAddsThem) {
  const Scratch scratch;
  const std::string text = sample_text(3'000'000);
  const std::string path = scratch.write("a.gz", gzip(text));
  const auto points = std::make_shared<GzipPoints>();
  InputFile file(path);
  file.use_points(points);
  file.collect_points();
  file.peek();
  std::string all(text.size() + 10, '\0');
  all.resize(file.read_some(std::as_writable_bytes(std::span(all))));
  EXPECT_EQ(all, text);
  EXPECT_TRUE(points->is_complete());
  EXPECT_GE(points->count(), 3U);
  EXPECT_EQ(read_at(file, 2'900'000, 50), text.substr(2'900'000, 50));
}

TEST(GzipPoints, AreAsManyAsTheBudgetTakes) {
  GzipPoints points(100'000);
  const std::string window = sample_text(32'768);
  for (std::int64_t i = 1; i <= 400; ++i) {
    const std::int64_t offset = i << 20;
    if (points.wants(offset)) points.add(offset, i, 3, window);
    ASSERT_LE(points.bytes(), 100'000);
  }
  ASSERT_GE(points.count(), 4U);
  for (const std::int64_t at : {std::int64_t{5}, std::int64_t{200} << 20, std::int64_t{400} << 20}) {
    EXPECT_LE(points.before(at).offset, at);
    EXPECT_LE(at - points.before(at).offset, std::int64_t{130} << 20);
  }
  EXPECT_EQ(GzipPoints::unpacked_window(points.before(std::int64_t{400} << 20)), window);
}

TEST(GzipPoints, DamageIsFoundBeforeTheFirstSeek) {
  const Scratch scratch;
  std::string bytes = gzip(sample_text(3'000'000));
  bytes[bytes.size() - 6] ^= 1;  // the CRC
  InputFile file(scratch.write("a.gz", bytes), "data.inputs");
  const std::string error = test::message_of<InputError>([&] { read_at(file, 10, 10); });
  EXPECT_TRUE(test::contains(error, "a.gz")) << error;
}

}  // namespace
}  // namespace nntrain::io
