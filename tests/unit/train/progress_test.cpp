// The progress bar fits every width.

#include "train/report/progress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/terminal.h"

namespace nntrain::train {

namespace {

BarLine example() {
  BarLine line;
  line.done = 321;
  line.steps = 1719;
  line.epoch_seconds_left = 75;
  line.run_seconds_left = 4000;
  line.samples_per_second = 23456;
  line.logs.values = {{"accuracy", 0.852}, {"loss", 0.4182}, {"präzision", 0.5}, {"evil\nname", 1}};
  return line;
}

}  // namespace

TEST(ProgressBar, FitsEveryWidth) {
  const BarLine line = example();
  std::size_t longest = 0;
  for (const bool utf8 : {true, false}) {
    for (std::int64_t columns = 1; columns <= 200; ++columns) {
      const std::string bar = format_bar(line, columns, utf8);
      EXPECT_LE(terminal::width_of(bar), columns) << bar;
      EXPECT_EQ(bar.find_first_of("\n\r"), std::string::npos);
      longest = std::max(longest, bar.size());
    }
  }
  EXPECT_GT(longest, 120U);
}

TEST(ProgressBar, LeavesOutWhatMattersLeast) {
  const BarLine line = example();
  EXPECT_EQ(
      format_bar(line, 200, false),
      " 321/1719 [==>.................] 1:15 left - accuracy: 0.8520 - loss: 0.4182 - präzision: 0.5000 - "
      "evil?name: 1.0000 - run 1:06:40 - 23456 samples/s");
  EXPECT_EQ(format_bar(line, 200, true).find("━━━─"), std::string(" 321/1719 ").size());
  const std::string eighty = format_bar(line, 80, false);
  EXPECT_NE(eighty.find("loss: 0.4182"), std::string::npos) << eighty;
  EXPECT_EQ(eighty.find("samples/s"), std::string::npos) << eighty;
  EXPECT_NE(format_bar(line, 40, false).find("1:15 left"), std::string::npos);
  EXPECT_EQ(format_bar(line, 20, false), " 321/1719 1:15 left");
}

TEST(ProgressBar, PlainTextIsAscii) {
  BarLine line = example();
  line.logs.values.resize(2);
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const std::string plain = format_bar(line, 120, false);
  EXPECT_TRUE(std::all_of(plain.begin(), plain.end(), ascii)) << plain;
  for (line.done = 0; line.done <= line.steps; line.done += 1719) {
    const std::string bar = format_bar(line, 120, false);
    EXPECT_EQ(bar.find(']') - bar.find('['), 21U) << bar;
  }
}

}  // namespace nntrain::train
