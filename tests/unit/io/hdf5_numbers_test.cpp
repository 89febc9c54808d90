// Numbers of damaged HDF5 files: what says where their bits are and how many are stored.

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace nntrain::io
