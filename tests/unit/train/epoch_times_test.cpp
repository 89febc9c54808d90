#include "train/run/epoch_times.h"

#include <gtest/gtest.h>

#include <numeric>

#include "train/report/html/pages.h"

namespace nntrain::train {
namespace {

TimeRow row_of(double first, double last) {
  TimeRow row{};
  row.front() = first;
  row.back() = last;
  return row;
}

TimeTable table_of(int epochs) {
  TimeTable table;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    table.open = row_of(1, 0.5);
    table.close_epoch();
  }
  return table;
}

double sum(const TimeTable& table) {
  double total = 0;
  for (const TimeRow& row : table.rows) total = std::accumulate(row.begin(), row.end(), total);
  return total;
}

TEST(TimeTable, IsBoundedAndLosesNothing) {
  for (const int epochs : {1, 399, 400, 401, 1000, 100001}) {
    const TimeTable table = table_of(epochs);
    EXPECT_LE(table.rows.size(), TimeTable::kMostRows) << epochs;
    EXPECT_EQ(table.epochs, epochs);
    EXPECT_NEAR(sum(table), 1.5 * epochs, 1e-9 * epochs) << epochs;
    EXPECT_LT(table.to_json().dump().size(), 60000U) << "an attribute of an HDF5 file holds 64 KB";
  }
}

TEST(TimeTable, ComesBackFromItsJson) {
  TimeTable table = table_of(777);
  table.first_epoch = 3;
  table.open = row_of(0.25, 0.125);
  table.waiting = {0.5, 2};
  const Json json = table.to_json();
  TimeTable back = TimeTable::from_json(json, 780);
  EXPECT_EQ(back.to_json(), json);
  back.close_epoch();
  EXPECT_NEAR(sum(back), 1.5 * 777 + 0.375, 1e-9);
}

TEST(TimeTable, StrangersAreNotTaken) {
  const Json good = table_of(5).to_json();
  const auto expect_empty = [](const Json& json, std::int64_t epochs) {
    const TimeTable table = TimeTable::from_json(json, epochs);
    EXPECT_TRUE(table.rows.empty()) << json;
    EXPECT_EQ(table.first_epoch, epochs);
  };
  expect_empty(Json(), 5);
  expect_empty(good, 6);  // of another moment
  for (const char* key : {"names", "epochs_per_row", "rows", "open", "epochs"}) {
    Json bad = good;
    bad[key] = Json::array({"x"});
    if (std::string(key) == "epochs_per_row" || std::string(key) == "epochs") bad[key] = 0;
    expect_empty(bad, 5);
  }
}

TEST(TimeTable, TheLongestRunsBarsStaySmall) {
  const std::string section = html::time_section(table_of(100000));
  EXPECT_LT(section.size(), 100000U);
  EXPECT_NE(section.find("epochs 1 to "), std::string::npos);
  EXPECT_EQ(html::time_section(TimeTable()), "");
}

TEST(TimeSection, NamesARankOnlyWhereItStandsOut) {
  TimeTable table = table_of(3);
  table.waiting = {9.0, 0.5, 8.0};
  std::string page = html::time_section(table);
  EXPECT_NE(page.find("Rank 1 waited least: the others wait for it."), std::string::npos) << page;
  EXPECT_EQ(page.find("Waiting took"), std::string::npos) << "no activity was waiting";
  table.waiting = {893.7, 888.3};
  for (TimeRow& row : table.rows) row[static_cast<std::size_t>(Activity::kWaiting)] = 4.5;
  page = html::time_section(table);
  EXPECT_EQ(page.find("waited least"), std::string::npos) << page;
  EXPECT_NE(page.find("no single one of them holds the others up"), std::string::npos);
  EXPECT_NE(page.find("Waiting took 75 % of the time: do the ranks share their cores"), std::string::npos);
}

}  // namespace
}  // namespace nntrain::train
