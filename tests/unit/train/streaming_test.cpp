// data.memory and data.cache: what is decided from sizes alone.

#include "train/data/streaming.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"

namespace nntrain::train {
namespace {

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

MemoryFacts facts(std::int64_t bytes, const std::string& cannot_stream = "") {
  return {"data.inputs", "x.h5", bytes, 1'000'000'000, cannot_stream, false};
}

TEST(ChooseMemory, AutoTakesHalfOfTheFreeMemoryAndThenTheDisk) {
  EXPECT_FALSE(choose_memory(DataMemory::kAuto, facts(500'000'000)).streams);
  const MemoryChoice choice = choose_memory(DataMemory::kAuto, facts(500'000'001));
  EXPECT_TRUE(choice.streams);
  EXPECT_NE(choice.report.find("500 MB are more than half of the 1 GB"), std::string::npos) << choice.report;
  const std::string refused =
      message_of([] { choose_memory(DataMemory::kAuto, facts(2'000'000'000, "it is a table")); });
  EXPECT_NE(refused.find("\"x.h5\" takes 2 GB"), std::string::npos) << refused;
  EXPECT_NE(refused.find("it is a table. data.memory = resident"), std::string::npos) << refused;
}

TEST(ChooseMemory, WhatIsSaidIsDone) {
  EXPECT_FALSE(choose_memory(DataMemory::kResident, facts(9'000'000'000, "it is a table")).streams);
  EXPECT_TRUE(choose_memory(DataMemory::kStream, facts(1)).streams);
  EXPECT_NE(
      message_of([] { choose_memory(DataMemory::kStream, facts(1, "it is a table")); }).find("it is a table"),
      std::string::npos);
  MemoryFacts validation = facts(1, "it is a table");
  validation.stream_if_it_can = true;
  EXPECT_FALSE(choose_memory(DataMemory::kStream, validation).streams);
}

TEST(Slots, AreTwoWindowsAsFarAsTheCacheGoesAndOneAtLeast) {
  data::StreamShape shape;
  shape.sample_size = 16;
  shape.blocks = data::RowBlocks(10'000, 100);  // 100 blocks of 6400 bytes
  DataSettings settings;
  EXPECT_EQ(slots_of(shape, 5, settings), 10);
  EXPECT_EQ(slots_of(shape, 70, settings), 100);
  EXPECT_EQ(slots_of(shape, 1'000'000, settings), 100);
  EXPECT_EQ(slots_of(shape, 0, settings), 100) << "64 MB in the file's order";
  settings.cache_bytes = 6400 * 7;
  EXPECT_EQ(slots_of(shape, 5, settings), 7);
  EXPECT_EQ(slots_of(shape, 7, settings), 7);
  EXPECT_EQ(slots_of(shape, 0, settings), 7);
  const std::string error = message_of([&] { slots_of(shape, 8, settings); });
  EXPECT_NE(error.find("has room for 7 blocks of 100 rows"), std::string::npos) << error;
  EXPECT_NE(error.find("fit.shuffle = blocks(window=3)"), std::string::npos) << error;
}

TEST(Sizes, AreReadInPowersOf1000AndOf1024) {
  for (const auto& [text, bytes] :
       std::vector<std::pair<std::string, std::int64_t>>{{"512MB", 512'000'000},
                                                         {"4GB", 4'000'000'000},
                                                         {"4GiB", std::int64_t{4} << 30},
                                                         {"4 gib", std::int64_t{4} << 30},
                                                         {"1.5KB", 1500},
                                                         {"100", 100},
                                                         {"100B", 100},
                                                         {"2k", 2000},
                                                         {"1TB", 1'000'000'000'000},
                                                         {"3Ki", 3072}})
    EXPECT_EQ(parse_size(text), bytes) << text;
  for (const char* text : {"", "GB", "-1GB", "4XB", "0", "0.1", "1e9", "4 G B", "inf", "4GBs", "99999999TB"})
    EXPECT_NE(message_of([&] { parse_size(text); }).find("is no size"), std::string::npos) << text;
}

}  // namespace
}  // namespace nntrain::train
