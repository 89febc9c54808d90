// Blocks that outlive a process that was killed.

#include "io/journal_file.h"

#include <gtest/gtest.h>

#include <optional>

#include "unit/io/scratch.h"

namespace nntrain::io {
namespace {

using test::Scratch;

const std::string kIdentity(64, 'a'), kOther(64, 'b');
using Blocks = std::vector<std::vector<std::byte>>;

std::vector<std::byte> block_of(std::size_t size, int value) {
  return std::vector<std::byte>(size, std::byte(value));
}

Blocks blocks_of(JournalFile& journal) {
  Blocks blocks;
  std::vector<std::byte> block;
  while (journal.next(block)) blocks.push_back(block);
  return blocks;
}

/// What a journal of these blocks is on the disk.
std::string bytes_of(const Scratch& scratch, const Blocks& blocks) {
  JournalFile journal(scratch.path("bytes.csv"), kIdentity);
  for (const auto& block : blocks) journal.append(block);
  return test::read_file(journal.path());
}

TEST(JournalFile, GoesWithItsProcess) {
  const Scratch scratch;
  std::string path;
  {
    JournalFile journal(scratch.path("p.csv"), kIdentity);
    EXPECT_EQ(journal.found(), JournalFile::Found::kNothing);
    path = journal.path();
    EXPECT_EQ(path, scratch.path(".p.csv.part"));
    EXPECT_TRUE(std::filesystem::exists(path));
    JournalFile second(scratch.path("p.csv"), kIdentity);
    EXPECT_EQ(second.found(), JournalFile::Found::kTaken);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(JournalFile, CutAnywhereItHasTheWholeBlocksAndGoesOnBehindThem) {
  const Scratch scratch;
  const Blocks blocks = {block_of(5, 1), block_of(0, 0), block_of(40, 2), block_of(7, 3)};
  const std::string whole = bytes_of(scratch, blocks);
  std::size_t most = 0;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    scratch.write(".p.csv.part", whole.substr(0, length));
    JournalFile journal(scratch.path("p.csv"), kIdentity);
    Blocks kept = blocks_of(journal);
    ASSERT_LE(kept.size(), blocks.size());
    ASSERT_GE(kept.size(), most) << length;
    most = kept.size();
    ASSERT_TRUE(std::equal(kept.begin(), kept.end(), blocks.begin())) << length;
    for (std::size_t i = kept.size(); i < blocks.size(); ++i) journal.append(blocks[i]);
    ASSERT_EQ(test::read_file(journal.path()), whole) << length;
  }
  EXPECT_EQ(most, blocks.size());
}

TEST(JournalFile, ABlockThatWasDamagedAndAllBehindItAreGone) {
  const Scratch scratch;
  const Blocks blocks = {block_of(5, 1), block_of(40, 2), block_of(7, 3)};
  const std::string whole = bytes_of(scratch, blocks);
  for (std::size_t at = 64 + 29; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    scratch.write(".p.csv.part", damaged);
    JournalFile journal(scratch.path("p.csv"), kIdentity);
    const Blocks kept = blocks_of(journal);
    ASSERT_LT(kept.size(), blocks.size()) << at;
    ASSERT_TRUE(std::equal(kept.begin(), kept.end(), blocks.begin())) << at;
  }
}

TEST(JournalFile, OfAnotherIdentityItBeginsAnewAndAStrangersFileStays) {
  const Scratch scratch;
  const std::string whole = bytes_of(scratch, {block_of(5, 1)});
  scratch.write(".p.csv.part", whole);
  {
    JournalFile journal(scratch.path("p.csv"), kOther);
    EXPECT_EQ(journal.found(), JournalFile::Found::kOther);
    EXPECT_TRUE(blocks_of(journal).empty());
  }
  const std::string stranger = scratch.write(".p.csv.part", "a text that somebody wrote");
  {
    JournalFile journal(scratch.path("p.csv"), kIdentity);
    EXPECT_EQ(journal.found(), JournalFile::Found::kNotOurs);
    journal.append(block_of(5, 1));
  }
  EXPECT_EQ(test::read_file(stranger), "a text that somebody wrote");
}

}  // namespace
}  // namespace nntrain::io
