// Numbers of damaged HDF5 files: what says where their bits are and how many are stored.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::contains;
using test::message_of;
using test::Scratch;

/// numbers.h5 (or another of tests/unit/io/files), whose object headers have no checksums, with `after` in
/// place of `before`, which is there once.
std::string damaged(const Scratch& scratch, const std::string& before, const std::string& after,
                    const std::string& file = "numbers.h5") {
  std::string bytes = test::read_file(NNTRAIN_TESTS_DIR "/unit/io/files/" + file);
  const std::size_t at = bytes.find(before);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(bytes.find(before, at + 1), std::string::npos);
  return scratch.write("damaged.h5", bytes.replace(at, after.size(), after));
}

std::string refusal(const std::string& path, const std::string& dataset) {
  return message_of<InputError>([&] { Hdf5File::open(path).root().dataset(dataset).read_all<double>(); });
}

// Specification IV.A.2.d "Datatype Message": size, then of whole numbers first bit and number of bits, of
// floating-point ones also where exponent and mantissa begin and how long they are.
TEST(NumbersOfFiles, BitsOutsideOfTheirBytesAreRefused) {
  const Scratch scratch;
  const std::string integer("\x08\0\0\0\0\0\x40\0", 8);
  const std::string real("\x04\0\0\0\0\0\x20\0\x17\x08\0\x17", 12);
  for (const std::string& bits :
       {std::string("\0\0\x41\0", 4), std::string("\0\0\0\x40", 4), std::string("\x01\0\x40\0", 4),
        std::string("\0\x70\x10\0", 4), std::string("\0\0\0\0", 4)}) {
    const std::string path = damaged(scratch, integer, integer.substr(0, 4) + bits);
    EXPECT_TRUE(contains(refusal(path, "integers"), "numbers are needed"));
  }
  for (const std::string& parts : {std::string("\xF7\x08\0\x17"), std::string("\x17\xF8\0\x17", 4),
                                   std::string("\x17\x08\xF0\x17"), std::string("\x17\x08\0\xF7", 4)}) {
    const std::string path = damaged(scratch, real, real.substr(0, 8) + parts);
    EXPECT_TRUE(contains(refusal(path, "reals"), "numbers are needed"));
  }
}

// Specification IV.A.2.i "Data Layout Message", version 3: class 1, address, size.
TEST(NumbersOfFiles, AnArrayOfWhichLessIsStoredIsRefused) {
  const Scratch scratch;
  const std::string size("\0\x03\0\0\0\0\0\0", 8);
  const std::string path = damaged(scratch, size, std::string("\x08\0", 2));
  EXPECT_TRUE(contains(refusal(path, "integers"), "(768 bytes), but 8 bytes are stored"));
}

// The same, class 0: size and values in the header.
TEST(NumbersOfFiles, AnArrayInItsHeaderOfWhichLessIsThereIsRefused) {
  const Scratch scratch;
  const std::string layout("\x03\0\x20\0\0\0\0\0", 8);
  for (const char bytes : {'\0', '\4', '\x1F'}) {
    const std::string path = damaged(scratch, layout, std::string("\x03\0", 2) + bytes, "compact.h5");
    EXPECT_TRUE(
        contains(refusal(path, "compact"), "(32 bytes), but " + std::to_string(int{bytes}) + " bytes are"));
  }
  const Hdf5File whole = Hdf5File::open(NNTRAIN_TESTS_DIR "/unit/io/files/compact.h5");
  EXPECT_EQ(whole.root().dataset("compact").read_all<float>(), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));
}

// More than there is: libhdf5 1.10 copies it from behind the header.
TEST(MessagesOfHeaders, WhatSaysThatMoreFollowsIsRefused) {
  const Scratch scratch;
  const std::string layout("\x03\0\x20\0\0\0\0\0", 8);
  for (const std::string& size :
       {std::string("\x29\0", 2), std::string("\x08\x12", 2), std::string("\xFF\xFF")}) {
    const std::string path = damaged(scratch, layout, std::string("\x03\0", 2) + size, "compact.h5");
    EXPECT_TRUE(contains(refusal(path, "compact"), "says of its layout is longer than its place there"));
  }
}

std::string eight_bytes(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (char& byte : bytes) byte = static_cast<char>(value & 0xFFU), value >>= 8U;
  return bytes;
}

// libhdf5 1.10 takes the checksum of a piece of fewer bytes than a checksum over all that lies behind it.
TEST(MessagesOfHeaders, APieceThatIsTooShortIsRefused) {
  const Scratch scratch;
  const std::string path = scratch.path("pieces.h5");
  Hdf5File file = Hdf5File::create(path);
  for (int i = 0; i < 6; ++i) {  // what lies behind it keeps the header from growing where it is
    file.root().write_attribute("attribute_" + std::to_string(i), std::string(300, 'x'));
    file.root().create_group("group_" + std::to_string(i));
  }
  file.close();
  const std::string whole = test::read_file(path);
  const std::size_t piece = whole.find("OCHK");
  ASSERT_NE(piece, std::string::npos);
  const std::size_t place = whole.find(eight_bytes(piece));
  ASSERT_NE(place, std::string::npos);
  for (const std::uint64_t length : {0, 3, 7}) {
    const std::string damaged = std::string(whole).replace(place + 8, 8, eight_bytes(length));
    scratch.write("damaged.h5", damaged);
    const std::string message =
        message_of<InputError>([&] { Hdf5File::open(scratch.path("damaged.h5")).root(); });
    EXPECT_TRUE(contains(message, "too short")) << length << ": " << message;
  }
}

// libhdf5 1.10 makes memory for a driver's information of any length and reads zeros from behind the file.
TEST(MessagesOfHeaders, MetadataLongerThanTheFileAreRefused) {
  const Scratch scratch;
  std::string bytes = test::read_file(NNTRAIN_TESTS_DIR "/unit/io/files/single.h5");
  const std::size_t end = bytes.size();
  bytes.replace(40, 16, eight_bytes(end + 16) + eight_bytes(end));  // the file's end, the information's place
  bytes += std::string("\0\0\0\0\0\0\0\x50NCSAfami", 16);           // 1.25 GiB
  scratch.write("driver.h5", bytes);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const std::string message = message_of<InputError>([&] { Hdf5File::open(scratch.path("driver.h5")); });
  getrusage(RUSAGE_SELF, &after);
  EXPECT_TRUE(contains(message, "is not an HDF5 file, or it is damaged")) << message;
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 500 << 10) << "KiB";
}

TEST(MessagesOfHeaders, OfEveryKindAreRead) {
  std::vector<double> values(24);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  for (const char* name : {"messages_old.h5", "messages_new.h5"}) {
    const Hdf5File file = Hdf5File::open(std::string(NNTRAIN_TESTS_DIR "/unit/io/files/") + name);
    for (const char* dataset :
         {"single", "single_gzip", "fixed", "fixed_gzip", "extensible", "tree", "tree_gzip", "filled",
          "scaled", "contiguous", "grows", "unfilled", "timed", "implicit", "compact", "of_a_kind"})
      EXPECT_EQ(file.root().dataset(dataset).read_all<double>(), values) << name << " " << dataset;
    const Hdf5Group others = file.root().group("others");
    for (const char* dataset : {"compound", "lists", "texts", "fixed", "reference", "opaque"})
      EXPECT_TRUE(contains(message_of<InputError>([&] { others.dataset(dataset).read_all<double>(); }),
                           "elements; numbers are needed"))
          << name << " " << dataset;
    EXPECT_EQ(others.dataset("enum").read_all<double>(), (std::vector<double>{0, 1}));
    EXPECT_EQ(others.dataset("scalar").read_all<double>(), std::vector<double>{24});
    for (const char* link : {"soft", "outside"})
      EXPECT_TRUE(contains(message_of<InputError>([&] { others.dataset(link); }), "link")) << link;
  }
}

// The sanitizers see what libhdf5 copies.
TEST(MessagesOfHeaders, AnyByteOfAHeaderMayBeAnother) {
  const Scratch scratch;
  int refused = 0, read = 0;
  for (const std::string file : {"compact.h5", "numbers.h5"}) {
    const std::string whole = test::read_file(NNTRAIN_TESTS_DIR "/unit/io/files/" + file);
    const std::vector<std::string> datasets = file == "compact.h5"
                                                  ? std::vector<std::string>{"compact"}
                                                  : std::vector<std::string>{"integers", "reals"};
    for (std::size_t at = 96; at < std::min<std::size_t>(whole.size(), 1400);
         ++at) {  // behind the superblock
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (at % 2 == 0 ? 0xFF : 0x11));
      const std::string path = scratch.write("damaged.h5", bytes);
      for (const std::string& dataset : datasets) {
        try {
          Hdf5File::open(path).root().dataset(dataset).read_all<double>();
          ++read;
        } catch (const InputError&) {
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(read, 500);
}

}  // namespace
}  // namespace nntrain::io
