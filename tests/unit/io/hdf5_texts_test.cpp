// Variable-length texts of damaged and hostile HDF5 files: what a text's place says (length, heap, object) is
// compared with the heap before libhdf5 takes memory for it.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>

#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::little_endian;
using test::message_of;
using test::Scratch;

/// tests/unit/io/files/attributes.h5, whose object headers have no checksums, and where it says which text an
/// attribute has.
class TextsOfFiles : public ::testing::Test {
 protected:
  /// Where the text of `length` bytes is named, which is object `index` of the heap that is `heap`th in the
  /// file.
  std::size_t place(std::uint64_t length, int heap, std::uint64_t index) const {
    std::size_t at = whole_.find("GCOL");
    for (; heap > 0; --heap) at = whole_.find("GCOL", at + 1);
    return whole_.find(little_endian(length, 4) + little_endian(at, 8) + little_endian(index, 4));
  }
  std::size_t long_text() const { return place(66000, 1, 1); }
  std::size_t first_of_list() const { return place(1, 0, 4); }

  /// A file in which `bytes` stand at `at`.
  std::string with(std::size_t at, const std::string& bytes) const {
    std::string changed = whole_;
    changed.replace(at, bytes.size(), bytes);
    return scratch_.write("a.h5", changed);
  }
  static std::string refusal(const std::string& path, const std::string& attribute) {
    return message_of<InputError>([&] { Hdf5File::open(path).root().read_texts(attribute); });
  }

  const Scratch scratch_;
  const std::string whole_ = test::read_file(NNTRAIN_TESTS_DIR "/unit/io/files/attributes.h5");
};

std::int64_t most_memory_kilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST_F(TextsOfFiles, ALengthThatIsNotTheHeapsIsRefusedBeforeMemoryIsTaken) {
  ASSERT_NE(long_text(), std::string::npos);
  const std::int64_t before = most_memory_kilobytes();
  // Above it libhdf5 takes as much memory, below it writes behind what it has taken.
  for (const std::uint64_t length : {0xFFFFFFF0U, 0x7FFFFFFFU, 66001U, 65999U, 5000U, 1U, 0U}) {
    const std::string message = refusal(with(long_text(), little_endian(length, 4)), "long");
    EXPECT_TRUE(contains(message, "a text of " + std::to_string(length) + " bytes"));
    EXPECT_TRUE(contains(message, "66000 bytes are stored"));
    EXPECT_TRUE(contains(message, "attribute \"long\""));
    EXPECT_TRUE(contains(message, "a.h5"));
  }
  EXPECT_LT(most_memory_kilobytes() - before, 256 << 10);
}

TEST_F(TextsOfFiles, APlaceWithoutATextIsRefused) {
  // Heaps that are none, behind the file, and beyond 63 bits.
  for (const std::uint64_t heap :
       std::initializer_list<std::uint64_t>{1, 2056, 1U << 30U, ~std::uint64_t{0}}) {
    EXPECT_TRUE(
        contains(refusal(with(long_text() + 4, little_endian(heap, 8)), "long"), "where there is none"));
  }
  for (const std::uint64_t index : {0U, 2U, 60000U, 0xFFFFFFFFU}) {
    EXPECT_TRUE(
        contains(refusal(with(long_text() + 12, little_endian(index, 4)), "long"), "where there is none"));
  }
}

TEST_F(TextsOfFiles, EachOfAListIsChecked) {
  for (const std::size_t text : {0U, 1U, 2U}) {
    const std::string path = with(first_of_list() + 16 * text, little_endian(0xFFFFFF00U, 4));
    EXPECT_TRUE(contains(refusal(path, "vlen_list"), "4294967040 bytes"));
  }
  const std::string shared = whole_.substr(long_text(), 16);
  EXPECT_TRUE(contains(refusal(with(first_of_list(), shared + shared + shared), "vlen_list"),
                       "more bytes than the file's 72176"));
}

TEST_F(TextsOfFiles, AShapeOfNoKnownKindIsRefused) {
  // Of version 1: name and type of the attribute, in pieces of 8 bytes, then its shape. In version 2 a byte
  // says of which kind a shape is.
  const std::size_t name = whole_.find(std::string("vlen\0\0\0\0", 8));
  ASSERT_NE(name, std::string::npos);
  const std::size_t shape = name + 8 + 24;
  ASSERT_EQ(whole_.substr(shape, 4), std::string("\1\0\0\0", 4));
  EXPECT_TRUE(contains(refusal(with(shape, std::string("\2\0\0\x70", 4)), "vlen"), "no known kind (112)"));
  EXPECT_TRUE(contains(refusal(with(shape, std::string("\2\0\0\2", 4)), "vlen"), "empty"));
}

TEST_F(TextsOfFiles, AnAttributeLongerThanItsPlaceIsRefused) {
  const std::size_t name = whole_.find(std::string("vlen\0\0\0\0", 8));
  ASSERT_EQ(whole_.substr(name - 8, 2), std::string("\1\0", 2));
  // The lengths of name, type and shape; libhdf5 read the value from behind them.
  for (const std::size_t length : {2U, 4U, 6U}) {
    for (const std::uint64_t bytes : {0x808U, 0xFFFFU, 0x28U}) {
      EXPECT_TRUE(contains(refusal(with(name - 8 + length, little_endian(bytes, 2)), "vlen"),
                           "longer than its place"));
    }
  }
  EXPECT_TRUE(contains(refusal(with(name + 4, "four"), "vlen"), "longer than its place"))
      << "a name without an end";
  EXPECT_TRUE(contains(refusal(with(name + 8 + 24 + 1, "\1"), "vlen"), "longer than its place")) << "a shape";
}

TEST_F(TextsOfFiles, APlaceOfAnotherWidthIsRefused) {
  // The type of a text of any length says how long its place is: length, address and object, 16 bytes here.
  const std::size_t width = whole_.find(std::string("vlen\0\0\0\0", 8)) + 8 + 4;
  ASSERT_EQ(whole_.substr(width - 4, 8), std::string("\x19\1\1\0\x10\0\0\0", 8));
  for (const std::uint64_t bytes : {0U, 8U, 14U, 15U, 17U, 48U, 0xFFFFFFFFU})
    EXPECT_TRUE(contains(refusal(with(width, little_endian(bytes, 4)), "vlen"), "damaged attribute"))
        << bytes;
}

TEST_F(TextsOfFiles, NoHeapIsNoText) {
  const Hdf5File file = Hdf5File::open(with(first_of_list() + 4, std::string(8, '\0')));
  EXPECT_EQ(file.root().read_texts("vlen_list"), (std::vector<std::string>{"", "yz", ""}));
}

TEST_F(TextsOfFiles, AddressesCountFromTheSuperblock) {
  for (const std::size_t block : {512U, 4096U}) {
    const std::string path = scratch_.write("a.h5", std::string(block, 'u') + whole_);
    const Hdf5File file = Hdf5File::open(path);
    EXPECT_EQ(file.root().read_text("vlen"), "variable \xC3\xA4");
    EXPECT_EQ(file.root().read_text("long"), std::string(66000, 'z'));
    EXPECT_EQ(file.root().read_texts("vlen_list"), (std::vector<std::string>{"x", "yz", ""}));
  }
}

TEST_F(TextsOfFiles, AnyByteOfAHeapOrOfAPlaceMayBeWrong) {
  const std::size_t list = first_of_list(), first_heap = whole_.find("GCOL");
  const auto read = [&](const std::string& path) {
    try {
      const Hdf5File file = Hdf5File::open(path);
      for (const char* attribute : {"vlen", "long", "vlen_list"})
        static_cast<void>(file.root().read_texts(attribute));
    } catch (const InputError&) {
    }
  };
  for (const char byte : {'\0', '\1', '\x7F', '\xFF'}) {
    for (std::size_t i = 0; i < 48; ++i) read(with(list + i, std::string(1, byte)));
    for (std::size_t i = 0; i < 16; ++i) read(with(long_text() + i, std::string(1, byte)));
    for (std::size_t i = 0; i < 200; ++i) read(with(first_heap + i, std::string(1, byte)));
    for (std::size_t i = 96; i < 120; ++i) read(with(i, std::string(1, byte)));  // the root's header
    for (std::size_t i = 800; i < first_heap; ++i) read(with(i, std::string(1, byte)));
  }
}

}  // namespace
}  // namespace nntrain::io
