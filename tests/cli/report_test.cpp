// Pages: well-formed, self-contained, with the user's text escaped and the run's facts in them.

#include "cli_test.h"
#include "xml_check.h"

namespace nntrain::cli_test {
namespace {

/// Well-formed, and nothing in it would be fetched or run.
void expect_self_contained(const std::string& page) {
  EXPECT_EQ(XmlCheck::complaint(page), "");
  for (const char* fetches :
       {"http:", "https:", "url(", "@import", "<script", "<link", "<img", "src=", "href="})
    EXPECT_EQ(page.find(fetches), std::string::npos) << fetches;
}

class Report : public CliTest {
 protected:
  /// A run of two classes whose names would break a page.
  void train(const std::string& more = "") {
    std::string data = "a,b,<kind>\n";
    for (int i = 0; i < 60; ++i)
      data += std::to_string(i % 7) + "," + std::to_string(i % 5) + "," +
              (i % 7 > 3 ? "\"<b>&amp;\"" : "plain") + "\n";
    write("x.csv", data);
    write("run.ini",
          "[data]\ninputs=x.csv\ntarget_columns=<kind>\ntest_inputs=x.csv\n"
          "[model]\nname=<script>\nlayer=Dense(4, activation=\"relu\")\nlayer=Dense(2, "
          "activation=\"softmax\")\n"
          "[compile]\nloss=sparse_categorical_crossentropy\nmetrics=accuracy\n"
          "[fit]\nvalidation_split=0.25\nepochs=6\n[checkpoint]\npath=run.h5\n");
    const Outcome outcome = run(0, "train run.ini --fit.verbose=0 " + more);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
  }
};

TEST_F(Report, IsOnePageWithTheFactsOfTheRun) {
  train();
  const Outcome outcome = run(2, "report run.h5 --output=report.html");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const std::string page = read("report.html");
  expect_self_contained(page);
  for (const char* fact :
       {"Learning curves", "Confusion matrix", "Finished: 6 of 6 epochs.", "45 rows train, 15 validate.",
        "sparse_categorical_crossentropy", "samples per second", "&lt;b&gt;&amp;amp;", "val_accuracy"})
    EXPECT_NE(page.find(fact), std::string::npos) << fact;
  EXPECT_NE(page.find(digest("run.h5")), std::string::npos);
  // The same page at every number of ranks: the run is the same.
  ASSERT_EQ(run(1, "report run.h5 --output=again.html").code, 0);
  EXPECT_EQ(read("again.html"), page);
}

/// Stopped inside an epoch and continued by more ranks: the bars are there for every epoch.
TEST_F(Report, ShowsWhereTheTimeWent) {
  train();
  ASSERT_EQ(run(2, "train run.ini --fit.epochs=9 --fit.verbose=0").code, 0);
  ASSERT_EQ(run(0, "report run.h5 --output=report.html").code, 0);
  const std::string page = read("report.html");
  expect_self_contained(page);
  for (const char* words : {"Where the time went", "<title>epoch 1: ", "<title>epoch 9: ", "class=\"t8\"",
                            "each of the 2 ranks waited for others"})
    EXPECT_NE(page.find(words), std::string::npos) << words;
  EXPECT_EQ(page.find("<title>epoch 10: "), std::string::npos);
  EXPECT_NE(page.find("<span class=\"key\"><svg"), std::string::npos) << "a key's sample stays with its name";
  const Outcome inspect = run(0, "inspect run.h5 --history=csv");
  EXPECT_EQ(inspect.output.find("waiting"), std::string::npos) << "only seconds differ between equal runs";
}

TEST_F(Report, SaysWhyThereIsNoEvaluation) {
  train();
  fs::remove(folder_ / "x.csv");
  const Outcome outcome = run(2, "report run.h5 --output=report.html");
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const std::string page = read("report.html");
  expect_self_contained(page);
  EXPECT_NE(page.find("Not evaluated: "), std::string::npos);
  EXPECT_NE(page.find("x.csv&quot; is not at hand"), std::string::npos);
}

TEST_F(Report, OfARunThatHasNotBegun) {
  train("--fit.epochs=0");
  EXPECT_EQ(run(0, "report run.h5 --output=report.html").code, 0);
  expect_self_contained(read("report.html"));
}

TEST_F(Report, RefusesOutputsThatAreNoPages) {
  train("--fit.epochs=0");
  for (const char* options : {"", "--output=report.pdf", "--output=run.h5"}) {
    const Outcome outcome = run(2, std::string("report run.h5 ") + options);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("--output="), std::string::npos) << outcome.output;
  }
  write("mine.html", "<html>my own page</html>");
  EXPECT_EQ(run(0, "report run.h5 --output=mine.html").code, 2);
  EXPECT_EQ(run(0, "evaluate run.h5 --output=mine.html").code, 2);
  EXPECT_EQ(read("mine.html"), "<html>my own page</html>");
  for (int times = 0; times < 2; ++times)  // a page of this program's may be replaced
    EXPECT_EQ(run(0, "report run.h5 --output=report.html").code, 0);
  EXPECT_EQ(run(0, "report none.h5 --output=r.html").code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "r.html"));
}

TEST_F(Report, AnEvaluationIsAPageToo) {
  train();
  const Outcome outcome = run(2, "evaluate run.h5 --output=evaluation.html");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  expect_self_contained(read("evaluation.html"));
  write("y.csv", "p,t,u\n1,1,2\n2,2.5,1\n3,2.5,0\n");
  write("r.ini",
        "[data]\ninputs=y.csv\ntarget_columns=t,u\ntest_inputs=y.csv\n[model]\nlayer=Dense(2)\n"
        "[compile]\nloss=mse\n[fit]\nepochs=1\n[checkpoint]\npath=r.h5\n");
  ASSERT_EQ(run(0, "train r.ini --fit.verbose=0").code, 0);
  ASSERT_EQ(run(0, "evaluate r.h5 --output=r.html").code, 0);
  expect_self_contained(read("r.html"));
  EXPECT_NE(read("r.html").find("predicted against true"), std::string::npos);
}

TEST(XmlCheckItself, FindsWhatIsWrong) {
  EXPECT_EQ(XmlCheck::complaint("<!DOCTYPE html><a b=\"c\"><d />x &amp; y</a>\n"), "");
  for (const char* wrong :
       {"<a><b></a></b>", "<a>", "<a>&nbsp;</a>", "<a b=c></a>", "<a b=\"1\" b=\"2\"></a>", "<a></a><b></b>",
        "<a>x < y</a>", "<a b=\"<\"></a>", "text"})
    EXPECT_NE(XmlCheck::complaint(wrong), "") << wrong;
}

}  // namespace
}  // namespace nntrain::cli_test
