// Every column of the history has one value an epoch, whenever it appeared.

#include "train/run/history.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nntrain::train {
namespace {

metrics::Logs row(std::initializer_list<std::pair<std::string, double>> values) {
  metrics::Logs logs;
  for (const auto& [name, value] : values) logs.set(name, value);
  return logs;
}

TEST(History, AColumnThatAppearsLateOrMissesAnEpochHoldsNanThere) {
  checkpoint::History history;
  append_row(history, row({{"loss", 3}}));
  append_row(history, row({{"loss", 2}, {"val_loss", 20}}));  // fit.validation_freq = 2
  append_row(history, row({{"loss", 1}}));
  append_row(history, row({{"loss", 0.5}, {"val_loss", 10}, {"learning_rate", 0.1}}));
  ASSERT_EQ(history.columns.size(), 3U);
  for (const auto& [name, column] : history.columns) EXPECT_EQ(column.size(), 4U) << name;
  EXPECT_EQ(history.columns[0].second, (std::vector<double>{3, 2, 1, 0.5}));
  const std::vector<double>& late = history.columns[1].second;
  EXPECT_TRUE(std::isnan(late[0]) && std::isnan(late[2]));
  EXPECT_EQ(late[1], 20);
  EXPECT_EQ(late[3], 10);
  EXPECT_TRUE(std::isnan(history.columns[2].second[2]));
}

}  // namespace
}  // namespace nntrain::train
