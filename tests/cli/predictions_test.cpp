// What predictions look like: ids, classes, headers, rows of standard input, several files.

#include "cli_test.h"
#include "io/hdf5.h"

namespace nntrain::cli_test {
namespace {

class PredictionFiles : public CliTest {
 protected:
  void train(const std::string& data, const std::string& layer, const std::string& loss,
             const std::string& options = "") const {
    write("run.ini", "[data]\n" + data + "\n[model]\nlayer = " + layer + "\n[compile]\nloss = " + loss +
                         "\noptimizer = SGD(0.001)\n[fit]\nepochs = 2\nbatch_size = 2\nverbose = 2\n"
                         "[checkpoint]\npath = run.h5\nresume = never\n");
    const Outcome outcome = run(0, "train run.ini " + options);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
  std::string predict(const std::string& options, int ranks = 0) const {
    const Outcome outcome = run(ranks, "predict run.h5 --output=p.csv " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return read("p.csv");
  }
  static std::string header(const std::string& csv) { return csv.substr(0, csv.find('\n')); }
  /// The first `cells` cells of each row.
  static std::string first_cells(const std::string& csv, int cells) {
    std::istringstream lines(csv);
    std::string line, all;
    while (std::getline(lines, line)) {
      std::size_t end = 0;
      for (int i = 0; i < cells; ++i) end = line.find(',', end + 1);
      all += line.substr(0, end) + "\n";
    }
    return all;
  }
};

constexpr const char* kTown = "key,x,y,town\n\"a,1\",1,3,Ulm\nb,2,5,Kiel\nc,3,7,Ulm\nd,4,9,Kiel\n";

TEST_F(PredictionFiles, IdsStandBeforeThePredictions) {
  write("t.csv", kTown);
  train("inputs = t.csv\ntarget_columns = y\ncolumns = key: id, town: categorical", "Dense(1)", "mse");
  EXPECT_EQ(header(predict("--data.inputs=t.csv")), "key,y");
  EXPECT_EQ(first_cells(predict("--data.inputs=t.csv --data.rows=1:3", 2), 1), "key\nb\nc\n");
  write("swapped.csv", "town,x,key\nUlm,1,7\nKiel,2,\"q\"\"r\"\n");
  EXPECT_EQ(first_cells(predict("--data.inputs=swapped.csv"), 1), "key\n7\n\"q\"\"r\"\n");
  write("none.csv", "town,x\nUlm,1\nKiel,2\n");
  EXPECT_EQ(header(predict("--data.inputs=none.csv")), "y");
  write("whole.csv", "key,town,x\n10,Ulm,1\n12,Kiel,2\n");
  ASSERT_EQ(run(0, "predict run.h5 --data.inputs=whole.csv --output=p.h5").code, 0);
  const io::Hdf5File file = io::Hdf5File::open((folder_ / "p.h5").string());
  EXPECT_EQ(file.root().dataset("ids").read_all<std::int64_t>(), (std::vector<std::int64_t>{10, 12}));
  EXPECT_EQ(file.root().read_texts("id_columns"), std::vector<std::string>{"key"});
  EXPECT_EQ(file.root().read_texts("columns"), std::vector<std::string>{"y"});
}

TEST_F(PredictionFiles, ClassesAndTheirProbabilitiesAreNamed) {
  write("t.csv", kTown);
  train("inputs = t.csv\ncolumns = key: id, town: target", "Dense(2, activation=\"softmax\")",
        "sparse_categorical_crossentropy");
  EXPECT_EQ(header(predict("--data.inputs=t.csv")), "key,class,class_name,Kiel,Ulm");
  train("inputs = t.csv\ncolumns = key: id, town: target", "Dense(1, activation=\"sigmoid\")",
        "binary_crossentropy");
  EXPECT_EQ(header(predict("--data.inputs=t.csv")), "key,class,class_name,Ulm");
  write("n.csv", "x,y\n1,0\n2,1\n3,0\n4,1\n");
  train("inputs = n.csv\ntarget_columns = y", "Dense(1, activation=\"sigmoid\")", "binary_crossentropy");
  EXPECT_EQ(header(predict("--data.inputs=n.csv")), "class,class_name,probability_of_1");
  train("inputs = n.csv\ntarget_columns = y", "Dense(1)", "hinge");
  EXPECT_EQ(header(predict("--data.inputs=n.csv")), "class,class_name,score_of_1");
  train("inputs = n.csv\ntarget_columns = y", "Dense(3, activation=\"softmax\")",
        "sparse_categorical_crossentropy");
  EXPECT_EQ(header(predict("--data.inputs=n.csv")), "class,class_name,class_0,class_1,class_2");
  train("inputs = t.csv\ncolumns = key: ignore, town: ignore\ntarget_columns = y, x\ninput_columns = x",
        "Dense(2)", "mse");
  EXPECT_EQ(header(predict("--data.inputs=t.csv")), "y,x");
}

TEST_F(PredictionFiles, AFileOfTruthsIsNoFileOfPredictions) {
  write("t.csv", "x,y\n1,3\n2,5\n3,7\n4,9\n");
  train("inputs = t.csv\ntarget_columns = y", "Dense(1)", "mse");
  predict("--data.inputs=t.csv");
  predict("--data.inputs=t.csv");  // its own, again
  write("truth.csv", "y\n840\n655.5\n1120\n");
  const Outcome kept = run(0, "predict run.h5 --data.inputs=t.csv --output=truth.csv");
  EXPECT_EQ(kept.code, 2);
  EXPECT_NE(kept.output.find("it is kept"), std::string::npos) << kept.output;
  EXPECT_EQ(read("truth.csv"), "y\n840\n655.5\n1120\n");
}

TEST_F(PredictionFiles, RowsOfStandardInputComeOutAtOnce) {
  write("t.csv", kTown);
  train("inputs = t.csv\ntarget_columns = y\ncolumns = key: id, town: categorical", "Dense(1)", "mse");
  const std::string whole = predict("--data.inputs=t.csv");
  const std::string program = std::string("cd ") + folder_.string() + " && ";
  for (const std::string command :
       {"cat t.csv | " NNTRAIN_PROGRAM " predict run.h5 --data.inputs=- 2>/dev/null",
        "cat t.csv | " NNTRAIN_PROGRAM " predict run.h5 --data.inputs=- --output=- 2>/dev/null",
        "(head -3 t.csv; tail -2 t.csv) | " NNTRAIN_PROGRAM
        " predict run.h5 --data.inputs=- --output=q.csv 2>&1 >/dev/null; cat q.csv"})
    EXPECT_EQ(run_shell(program + "(" + command + ")").output, whole) << command;
  // An answer is there before the next question.
  write("ask.sh",
        "set -e\nmkfifo in out\n" NNTRAIN_PROGRAM
        " predict run.h5 --data.inputs=- < in > out 2>/dev/null &\n"
        "exec 3> in 4< out\nprintf 'key,town,x\\nk,Ulm,1\\n' >&3\nread -r header <&4; read -r first <&4\n"
        "printf 'l,Kiel,2\\n' >&3\nread -r second <&4\nexec 3>&-\nwait $!\n"
        "echo \"$header/${first%%,*}/${second%%,*}\"\n");
  EXPECT_EQ(run_shell(program + "timeout 60 bash ask.sh").output, "key,y/k/l\n");
  const Outcome bad = run_shell(program + "printf 'town,x\\nUlm,1\\nRome,2\\n' | " NNTRAIN_PROGRAM
                                          " predict run.h5 --data.inputs=- --output=q2.csv");
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.output.find("line 3 (row 1), column \"town\": \"Rome\""), std::string::npos) << bad.output;
  EXPECT_FALSE(fs::exists(folder_ / "q2.csv"));
  EXPECT_EQ(run_shell(program + NNTRAIN_PROGRAM " predict run.h5 --data.inputs=- --output=q.h5 < t.csv").code,
            2);
  EXPECT_EQ(run_shell(program + NNTRAIN_PROGRAM " predict run.h5 --data.inputs=- < /dev/null").code, 2);
}

TEST_F(PredictionFiles, SeveralFilesTrainAsOne) {
  write("all.csv", "x,y\n1,3\n2,5\n3,7\n4,9\n5,11\n");
  const std::string model = "Dense(1)";
  train("inputs = all.csv\ntarget_columns = y", model, "mse");
  const std::string whole = digest("run.h5"), predicted = predict("--data.inputs=all.csv");
  write("part2.csv", "x,y\n1,3\n2,5\n");
  write("part10.csv", "y,x\n7,3\n9,4\n11,5\n");
  for (const char* inputs :
       {"inputs = part*.csv", "inputs = part2.csv, part10.csv", "inputs = part2.csv\ninputs = part10.csv",
        "inputs = [\"part2.csv\", 'part10.csv']"}) {
    train(std::string(inputs) + "\ntarget_columns = y", model, "mse");
    EXPECT_EQ(digest("run.h5"), whole) << inputs;
  }
  EXPECT_EQ(predict("--data.inputs=part*.csv", 2), predicted);
  const Outcome over = run(0, "predict run.h5 --data.inputs='part*.csv' --output=part10.csv");
  EXPECT_EQ(over.code, 2);
  EXPECT_NE(over.output.find("an input of this command"), std::string::npos) << over.output;
  const Outcome none = run(0, "train run.ini --data.inputs='no*.csv'");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.output.find("no file matches"), std::string::npos) << none.output;
}

/// Killed with SIGKILL in the middle; what goes on has other ranks and, in the end, the bytes of a run that
/// was not killed.
TEST_F(PredictionFiles, AKilledRunGoesOnWhereItStopped) {
  std::string rows = "a,b,c,y\n";
  for (int i = 0; i < 50000; ++i)
    rows += std::to_string(i % 251) + "," + std::to_string(i % 7) + "," + std::to_string(i % 10) + ",1\n";
  write("t.csv", rows);
  train("inputs = t.csv\ntarget_columns = y\nrows = :10",
        "Dense(512, activation=\"relu\")\nlayer = Dense(512)\nlayer = Dense(3)\nlayer = Dense(1)", "mse");
  const auto command = [](const std::string& output) {
    return "predict run.h5 --data.inputs=t.csv --output=" + output;
  };
  ASSERT_EQ(run(0, command("straight.csv")).code, 0);
  ASSERT_FALSE(fs::exists(folder_ / ".straight.csv.part"));
  // Two blocks of 4,096 rows are kept at least.
  run_shell("cd " + folder_.string() + " && { " + NNTRAIN_PROGRAM + " " + command("p.csv") +
            " & } ; while kill -0 $! && [ \"$(stat -c %s .p.csv.part 2>/dev/null || echo 0)\" -lt 34000 ]; "
            "do sleep 0.005; "
            "done; kill -9 $!; wait $!");
  ASSERT_TRUE(fs::exists(folder_ / ".p.csv.part"));
  ASSERT_FALSE(fs::exists(folder_ / "p.csv"));
  fs::copy(folder_ / ".p.csv.part", folder_ / ".p.h5.part");
  fs::copy(folder_ / ".p.csv.part", folder_ / ".q.csv.part");
  fs::copy(folder_ / ".p.csv.part", folder_ / ".r.csv.part");
  const Outcome rest = run(3, command("p.csv --data.memory=stream"));
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_NE(rest.output.find("of 50000 rows were predicted by a run that did not end"), std::string::npos)
      << rest.output;
  EXPECT_EQ(read("p.csv"), read("straight.csv"));
  EXPECT_FALSE(fs::exists(folder_ / ".p.csv.part"));
  // The same of another format, and with a part whose last block was cut.
  ASSERT_EQ(run(0, command("straight.h5")).code, 0);
  fs::resize_file(folder_ / ".p.h5.part", fs::file_size(folder_ / ".p.h5.part") - 5);
  const Outcome other = run(2, command("p.h5"));
  EXPECT_NE(other.output.find("rows were predicted by a run that did not end"), std::string::npos)
      << other.output;
  EXPECT_EQ(read("p.h5"), read("straight.h5"));
  // Other rows, another file: nothing of it is taken.
  const Outcome fewer = run(0, command("q.csv --data.rows=5:"));
  EXPECT_NE(fewer.output.find("predicted anew"), std::string::npos) << fewer.output;
  EXPECT_TRUE(read("straight.csv").ends_with(read("q.csv").substr(read("q.csv").find('\n'))));
  write("t.csv", "a,b,c,y\n5,5,5,1\n" + rows.substr(8 + rows.substr(8).find('\n') + 1));
  const Outcome changed = run(0, command("r.csv"));
  EXPECT_NE(changed.output.find("predicted anew"), std::string::npos) << changed.output;
  EXPECT_NE(read("r.csv"), read("straight.csv"));
}

}  // namespace
}  // namespace nntrain::cli_test
