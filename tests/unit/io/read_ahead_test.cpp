// What the kernel is told of reads that follow one another, and of those that do not.

#include "io/read_ahead.h"

#include <gtest/gtest.h>

#include <vector>

#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::Scratch;

constexpr std::int64_t kMega = std::int64_t{1} << 20;

class Told : public System {
 public:
  void read_ahead(int descriptor, bool may) override {
    System::read_ahead(descriptor, may);
    told.push_back(may);
  }
  std::vector<bool> told;
};

std::vector<bool> told_of(const std::vector<std::int64_t>& places, std::int64_t bytes) {
  Told system;
  ReadAhead ahead;
  for (const std::int64_t at : places) ahead.before_read(system, -1, at, bytes);
  return system.told;
}

TEST(ReadAhead, OfWhoeverReadsOnOnly) {
  EXPECT_EQ(told_of({0, kMega, 2 * kMega}, kMega), std::vector<bool>{});  // the kernel's own rule
  EXPECT_EQ(told_of({0, 50 * kMega, 20 * kMega, 21 * kMega, 0}, kMega), std::vector<bool>{false});
  std::vector<std::int64_t> places = {70 * kMega};
  for (std::int64_t k = 0; k < 20; ++k) places.push_back((71 + k) * kMega);
  EXPECT_EQ(told_of(places, kMega), (std::vector<bool>{false, true}));
  places.push_back(3 * kMega);
  EXPECT_EQ(told_of(places, kMega), (std::vector<bool>{false, true, false}));
}

TEST(ReadAhead, OfRowsOfADataset) {
  const Scratch scratch;
  constexpr std::int64_t kRows = 16, kFloats = kMega / 4;  // a megabyte a row
  {
    Hdf5File file = Hdf5File::create(scratch.path("a.h5"));
    file.root().write_dataset("x", Shape{kRows, kFloats}, std::vector<float>(kRows * kFloats, 1));
    file.close();
  }
  std::vector<float> row(kFloats);
  Told in_order, mixed;
  {
    const Hdf5File file = Hdf5File::open(scratch.path("a.h5"), "", in_order);
    const Hdf5Dataset x = file.root().dataset("x");
    for (std::int64_t i = 0; i < kRows; ++i) x.read_rows<float>(i, 1, row);
  }
  {
    const Hdf5File file = Hdf5File::open(scratch.path("a.h5"), "", mixed);
    const Hdf5Dataset x = file.root().dataset("x");
    for (std::int64_t i = 0; i < kRows; ++i) x.read_rows<float>(i * 5 % kRows, 1, row);
  }
  EXPECT_TRUE(in_order.told.back());
  EXPECT_EQ(mixed.told, std::vector<bool>{false});
}

}  // namespace
}  // namespace nntrain::io
