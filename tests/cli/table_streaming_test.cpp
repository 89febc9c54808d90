// data.memory = stream with tables and gzip files: the table that is printed, and every bit, as in memory.

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

class TableStreaming : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    std::string first = "passenger_id,age,town,built,class\n", second = "class;town;age;built;passenger_id\n";
    for (int i = 0; i < 400; ++i) {
      const std::string age = i % 9 == 4 ? "" : std::to_string(i * 37 % 83);
      const std::string town = i % 3 == 0 ? "Ulm" : i % 5 == 0 ? "\"Au, Hallertau\"" : "Kiel";
      const std::string built = "2021-01-" + std::to_string(10 + i % 20);
      first += std::to_string(1000 + i) + "," + age + ".5," + town + "," + built + "," +
               (i % 4 == 1 ? "yes" : "no") + "\n";
      if (i < 150)
        second += std::string(i % 4 == 2 ? "yes" : "no") + ";Ulm;" + age + ",25;" + built + ";" +
                  std::to_string(i) + "\n";
    }
    for (std::string::size_type at = 0; (at = first.find(",.5", at)) != std::string::npos;)
      first.replace(at, 3, ",");
    for (std::string::size_type at = 0; (at = second.find(";,25", at)) != std::string::npos;)
      second.replace(at, 4, ";");
    write("t1.csv", first);
    write_gzip("t2.csv.gz", second);
    write("run.ini",
          "[data]\ninputs = t*.csv*\ncolumns = town: categorical, built: date\nmissing = median\n"
          "target_columns = class\ncache = 1MB\nblock_rows = 16\n[model]\nlayer = Normalization()\n"
          "layer = Dense(2)\n[compile]\nloss = SparseCategoricalCrossentropy(from_logits=True)\n"
          "optimizer = SGD(0.05)\nmetrics = accuracy\n[fit]\nepochs = 2\nbatch_size = 20\n"
          "shuffle = blocks(window=4)\nvalidation_split = 0.2\nverbose = 2\n[run]\nseed = 7\n");
  }

  void write_gzip(const std::string& name, const std::string& text) const {
    const std::string plain = name.substr(0, name.size() - 3);
    write(plain, text);
    ASSERT_EQ(run_shell("cd " + folder_.string() + " && gzip -n " + plain).code, 0);
  }

  Outcome train(int ranks, const std::string& checkpoint, const std::string& options,
                const std::string& environment = "") const {
    fs::remove(folder_ / checkpoint);
    return run(ranks, "train run.ini --checkpoint.path=" + checkpoint + " " + options, environment);
  }

  /// What the header says of the inputs.
  static std::string reading(const std::string& output) {
    std::istringstream lines(output);
    std::string line, text;
    while (std::getline(lines, line)) {
      if (line.find("t1.csv") != std::string::npos && line.find("SHA-256") == std::string::npos &&
          line.find("data.memory") == std::string::npos)
        text += line + "\n";
    }
    return text;
  }
};

TEST_F(TableStreaming, GivesTheTableAndTheBitsOfMemoryAtAnyNumberOfRanksAndNodes) {
  const Outcome resident = train(0, "resident.h5", "--data.memory=resident");
  ASSERT_EQ(resident.code, 0) << resident.output;
  for (const auto& [ranks, nodes] : {std::pair(0, ""), {3, "NNTRAIN_RANKS_PER_NODE=2"}, {5, ""}}) {
    const Outcome outcome = train(ranks, "n.h5", "--data.memory=stream", nodes);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("data.memory = stream: data.inputs"), std::string::npos) << outcome.output;
    EXPECT_EQ(reading(outcome.output), reading(resident.output));
    EXPECT_EQ(digest("n.h5"), digest("resident.h5")) << ranks << nodes;
    EXPECT_EQ(history("n.h5"), history("resident.h5")) << ranks << nodes;
  }
  const Outcome small = train(2, "n.h5", "", "NNTRAIN_FREE_BYTES=9000");
  EXPECT_NE(small.output.find("data.memory = auto: data.inputs are read from disk"), std::string::npos)
      << small.output;
  EXPECT_EQ(digest("n.h5"), digest("resident.h5"));
  // Evaluated and predicted, with ids, from disk and from memory.
  const std::string data = " --data.inputs=t1.csv --data.memory=",
                    ids = " --data.columns='passenger_id: id, town: categorical, built: date'";
  const Outcome one = run(0, "evaluate resident.h5" + data + "resident --json"),
                two = run(2, "evaluate resident.h5" + data + "stream --json");
  ASSERT_EQ(two.code, 0) << two.output;
  EXPECT_EQ(two.output, one.output);
  ASSERT_EQ(run(0, "predict resident.h5 --output=one.csv" + data + "resident" + ids).code, 0);
  const Outcome predicted = run(3, "predict resident.h5 --output=two.csv" + data + "stream" + ids);
  ASSERT_EQ(predicted.code, 0) << predicted.output;
  EXPECT_EQ(read("two.csv"), read("one.csv"));
  EXPECT_NE(read("two.csv").find("\n1399,"), std::string::npos) << read("two.csv");
}

TEST_F(TableStreaming, PackedArraysStreamToo) {
  std::string images("\0\0\x08\x02\0\0\0\xC8\0\0\0\x06", 12), labels("\0\0\x08\x01\0\0\0\xC8", 8);
  for (int i = 0; i < 1200; ++i) images += static_cast<char>(i * 7919 % 251);
  for (int i = 0; i < 200; ++i) labels += static_cast<char>(i % 3);
  write_gzip("x.gz", images);
  write_gzip("y.gz", labels);
  const std::string options =
      "--data.inputs=x.gz --data.targets=y.gz --data.columns= --data.missing=error --data.target_columns= "
      "--model.layer='Dense(3)' --data.memory=";
  const Outcome resident = train(0, "resident.h5", options + "resident");
  ASSERT_EQ(resident.code, 0) << resident.output;
  const Outcome streamed = train(2, "stream.h5", options + "stream");
  ASSERT_EQ(streamed.code, 0) << streamed.output;
  EXPECT_EQ(digest("stream.h5"), digest("resident.h5"));
  EXPECT_EQ(history("stream.h5"), history("resident.h5"));
}

TEST_F(TableStreaming, ConvertsWhatIsLargerThanItsMemory) {
  const std::string source =
      "convert 't*.csv*' --data.columns='town: categorical, built: date' --data.missing=mean "
      "--data.target_columns=class ";
  ASSERT_EQ(run(0, source + "--output=a.h5").code, 0);
  const Outcome small = run(0, source + "--output=b.h5 --data.cache=2KB");
  ASSERT_EQ(small.code, 0) << small.output;
  EXPECT_EQ(read("a.h5"), read("b.h5"));
  ASSERT_EQ(run(0, source + "--output=c.h5 --shuffle").code, 0);
  ASSERT_EQ(run(0, source + "--output=d.h5 --shuffle --data.cache=2KB").code, 0);
  EXPECT_EQ(read("c.h5"), read("d.h5"));
}

}  // namespace
}  // namespace nntrain::cli_test
