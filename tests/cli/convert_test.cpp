// A table, converted, trains to the bits of the table.

#include <cmath>

#include "cli_test.h"
#include "core/json.h"
#include "io/hdf5.h"

namespace nntrain::cli_test {
namespace {

class Convert : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::copy(std::string(NNTRAIN_SOURCE_DIR) + "/configs/data/iris.csv", folder_ / "iris.csv");
    write("run.ini",
          "[model]\nlayer = Dense(3, activation=\"softmax\")\n[compile]\nloss = "
          "sparse_categorical_crossentropy\n"
          "optimizer = SGD(0.01)\n[fit]\nepochs = 2\nverbose = 0\n");
  }
  std::string trained(const std::string& data, const std::string& checkpoint) const {
    const Outcome outcome = run(0, "train run.ini " + data + " --checkpoint.path=" + checkpoint);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return digest(checkpoint);
  }
};

TEST_F(Convert, ATableTrainsToTheSameBitsAsItsHdf5File) {
  const Outcome converted = run(2, "convert iris.csv --output=iris.h5 --data.target_columns=species");
  ASSERT_EQ(converted.code, 0) << converted.output;
  EXPECT_NE(converted.output.find("/inputs (150, 4), /targets (150,)"), std::string::npos)
      << converted.output;
  EXPECT_EQ(trained("--data.inputs=iris.csv --data.target_columns=species", "table.h5"),
            trained("--data.inputs=iris.h5:/inputs --data.targets=iris.h5:/targets", "hdf5.h5"));
}

TEST_F(Convert, WhatIsKnownOfATableIsKept) {
  write("houses.csv", "town,area,price\nUlm,50,1\nBonn,,2\nUlm,70,4\nKiel,90,5\n");
  const Outcome converted =
      run(0,
          "convert houses.csv --output=houses.h5 --data.target_columns=price "
          "--data.columns='town: categorical(indices)' --data.missing='error, area: mean'");
  ASSERT_EQ(converted.code, 0) << converted.output;
  const io::Hdf5File file = io::Hdf5File::open((folder_ / "houses.h5").string());
  const io::Hdf5Group root = file.root();
  const Json columns = Json::parse(root.read_text("inputs_table"))["columns"];
  EXPECT_EQ(columns[0]["categories"], Json::parse(R"(["Bonn", "Kiel", "Ulm"])"));
  EXPECT_EQ(columns[1]["fill"], 70.0);
  const auto statistic = [&](const std::string& name) {
    const io::Hdf5Dataset dataset = root.dataset("about/" + name);
    std::vector<double> values(static_cast<std::size_t>(dataset.info().shape.size()));
    dataset.read(std::span(values));
    return values;
  };
  EXPECT_EQ(statistic("inputs_mean"), (std::vector<double>{1.25, 70}));  // town: 2 0 2 1, area: 50 70 70 90
  EXPECT_EQ(statistic("inputs_min"), (std::vector<double>{0, 50}));
  EXPECT_EQ(statistic("inputs_max"), (std::vector<double>{2, 90}));
  EXPECT_NEAR(statistic("inputs_std")[1], std::sqrt(200.0), 1e-12);
  EXPECT_EQ(statistic("targets_mean"), std::vector<double>{3});
}

TEST_F(Convert, ShuffledRowsAreOtherRowsAndTheSameEachTime) {
  for (const char* name : {"a.h5", "b.h5"}) {
    const Outcome outcome =
        run(0, std::string("convert iris.csv --data.target_columns=species --shuffle --output=") + name);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  EXPECT_EQ(read("a.h5"), read("b.h5"));
  ASSERT_EQ(run(0, "convert iris.csv --data.target_columns=species --output=c.h5").code, 0);
  EXPECT_NE(read("a.h5"), read("c.h5"));
}

TEST_F(Convert, ShuffledOutOfCoreIsShuffledInMemory) {
  ASSERT_EQ(run(0, "convert iris.csv --data.target_columns=species --output=iris.h5").code, 0);
  const std::string convert = "convert iris.h5:/inputs --data.targets=iris.h5:/targets --shuffle --output=";
  ASSERT_EQ(run(0, convert + "whole.h5").code, 0);
  for (const char* cache : {"1KB", "500"}) {
    const Outcome parts = run(0, convert + "parts.h5 --data.cache=" + cache);
    ASSERT_EQ(parts.code, 0) << parts.output;
    EXPECT_EQ(read("parts.h5"), read("whole.h5")) << cache;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}), 5)
      << "no scratch file is left";
  ASSERT_EQ(run(0, convert + "small.h5 --gzip=9").code, 0);
  EXPECT_EQ(trained("--data.inputs=whole.h5:/inputs --data.targets=whole.h5:/targets", "a.h5"),
            trained("--data.inputs=small.h5:/inputs --data.targets=small.h5:/targets", "b.h5"));
  EXPECT_EQ(run(0, convert + "x.h5 --gzip=10").code, 2);
}

TEST_F(Convert, NothingIsWrittenOverTheSourceOrAnotherProgramsFile) {
  const std::string before = read("iris.csv");
  EXPECT_EQ(run(0, "convert iris.csv --output=iris.csv").code, 2);
  write("other.h5", "mine");
  EXPECT_EQ(run(0, "convert iris.csv --output=other.h5 --data.target_columns=species").code, 2);
  EXPECT_EQ(read("iris.csv"), before);
  EXPECT_EQ(read("other.h5"), "mine");
  const Outcome text = run(0, "convert iris.csv --output=x.h5");
  EXPECT_EQ(text.code, 2) << text.output;
  EXPECT_NE(text.output.find("species"), std::string::npos) << text.output;
}

/// Tables that all ranks parse together give the bytes of a single rank: of one file and of several, with
/// line ends in quotes where a piece may seem to begin, and what is wrong has the same message.
TEST_F(Convert, AllRanksTogetherWriteTheBytesOfOne) {
  const auto table = [](int rows, int broken, bool quoted) {
    std::string text = "a,b,note,heated,price\r\n";
    for (int i = 0; i < rows; ++i) {
      const std::string note = quoted && i % 3 == 0 ? "\"1,2\n3,4,x,no,5\n\n\"" : "text";
      text += std::to_string(i * 7919 % 100003) + "." + std::to_string(i % 10) + "," +
              (i == broken ? "oops" : std::to_string(i)) + "," + note + "," + (i % 2 == 0 ? "yes" : "no") +
              "," + std::to_string(i % 251) + "\r\n" + (i % 1000 == 0 ? "\r\n" : "");
    }
    return text;
  };
  write("one.csv", table(170000, -1, false));
  write("p1.csv", table(90000, -1, false));
  write("p2.csv", table(90000, -1, false));
  write("quoted.csv", table(140000, -1, true));
  write("bad.csv", table(170000, 150000, false));
  const auto convert = [&](int ranks, const std::string& source, const std::string& output) {
    return run(ranks, "convert " + source + " --output=" + output +
                          " --data.columns='note: ignore, heated: boolean' --data.target_columns=price");
  };
  for (const char* source : {"one.csv", "'p*.csv'", "quoted.csv"}) {
    const Outcome alone = convert(0, source, "alone.h5");
    ASSERT_EQ(alone.code, 0) << alone.output;
    for (const int ranks : {2, 5}) {
      const Outcome together = convert(ranks, source, "together.h5");
      ASSERT_EQ(together.code, 0) << together.output;
      EXPECT_TRUE(read("together.h5") == read("alone.h5")) << source << " " << ranks;
      const auto reading = [](const Outcome& outcome) {
        const std::size_t at = outcome.output.find("SOURCE");
        return outcome.output.substr(at, outcome.output.find('\n', at) - at);
      };
      EXPECT_EQ(reading(together), reading(alone));
    }
  }
  const Outcome bad = convert(3, "bad.csv", "bad.h5");
  EXPECT_EQ(bad.code, 2) << bad.output;
  EXPECT_NE(bad.output.find("(row 150000), column \"b\": \"oops\" is not a number"), std::string::npos)
      << bad.output;
  EXPECT_FALSE(fs::exists(folder_ / "bad.h5"));
}

}  // namespace
}  // namespace nntrain::cli_test
