// Files of many layers and of many weights, through the whole program. The unit test with 50,000 tells a
// quadratic loop; these tell that every command gets through.

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

constexpr int kLayers = 4000;

class ManyLayers : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    write("x.csv", "a,b,y\n1,2,3\n2,3,4\n3,4,5\n4,5,6\n");
    std::string ini = head("run.h5") + "[model]\n";
    for (int i = 0; i < kLayers; ++i) ini += "layer=Dense(1)\n";
    write("run.ini", ini);
  }
  static std::string head(const std::string& path) {
    return "[data]\ninputs=x.csv\ntarget_columns=y\n[compile]\nloss=mse\noptimizer=SGD(0.0)\n[fit]\nepochs="
           "1\n"
           "verbose=0\n[checkpoint]\npath=" +
           path + "\n";
  }
  Outcome expect_done(int ranks, const std::string& arguments) const {
    Outcome outcome = run(ranks, arguments);
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.output.substr(0, 2000);
    return outcome;
  }
};

TEST_F(ManyLayers, GoThroughEveryCommand) {
  EXPECT_NE(expect_done(0, "summary run.ini").output.find("Total params: 8,001"), std::string::npos);
  expect_done(2, "train run.ini");
  const std::string trained = digest("run.h5");
  for (const char* ending : {"keras", "h5", "json", "weights.h5", "npz"})
    expect_done(0, std::string("export run.h5 --output=out.") + ending);
  for (const char* from : {"out.keras", "out.h5"}) {
    write("again.ini", head("again.h5") + "[model]\nfrom=" + from + "\n");
    expect_done(0, "train again.ini");
    EXPECT_EQ(digest("again.h5"), trained) << from << ": a learning rate of 0 changes nothing";
    fs::remove(folder_ / "again.h5");
  }
  const Json layers = Json::parse(expect_done(0, "inspect run.h5 --json").output, nullptr, false)["layers"];
  ASSERT_EQ(layers.size(), static_cast<std::size_t>(kLayers));
  EXPECT_EQ(layers[0]["parameters"], 3);
  expect_done(0, "report run.h5 --output=report.html");
  EXPECT_LT(fs::file_size(folder_ / "report.html"), 2U << 20U);
}

}  // namespace
}  // namespace nntrain::cli_test
