// Learning curves: what is drawn, where, under which name.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "train/report/gnuplot.h"
#include "train/report/plot_file.h"
#include "train/report/plot_layout.h"
#include "train/report/plot_script.h"

namespace nntrain::train {
namespace {

const double kNone = std::nan("");

checkpoint::History history() {
  return {{{"loss", {1.0, 0.5, 0.4, 0.3}},
           {"accuracy", {0.1, 0.5, 0.6, 0.7}},
           {"val_accuracy", {kNone, 0.4, kNone, 0.5}},
           {"val_loss", {kNone, 0.6, kNone, 0.9}},
           {"epoch", {1, 2, 3, 4}},
           {"seconds", {2, 2, 2, 2}},
           {"learning_rate", {0.1, 0.1, 0.01, 0.01}}}};
}

std::vector<double> epochs_of(const PlotCurve& curve) {
  std::vector<double> epochs;
  for (const PlotPoint& point : curve) epochs.push_back(point.epoch);
  return epochs;
}

TEST(Plot, TrainingStandsHalfAnEpochToTheLeft) {
  const PlotPanel panel = plot_panel({{"run", history()}}, "loss", 1, false);
  ASSERT_EQ(panel.lines.size(), 2U);
  EXPECT_EQ(epochs_of(panel.lines[0].curve), (std::vector<double>{0.5, 1.5, 2.5, 3.5}));
  EXPECT_EQ(epochs_of(panel.lines[1].curve), (std::vector<double>{2, 4}));  // the others were not validated
}

TEST(Plot, TheBestEpochIsThatOfTheLowestValidationLossInEveryPanel) {
  const auto best = best_epoch(history());
  ASSERT_TRUE(best);
  EXPECT_EQ(best->epoch, 2);
  EXPECT_EQ(best->value, 0.6);
  const PlotPanel panel = plot_panel({{"run", history()}}, "accuracy", 1, false);
  ASSERT_EQ(panel.best.size(), 1U);
  EXPECT_EQ(panel.best[0].epoch, 2);
  EXPECT_EQ(panel.best[0].value, 0.4);
}

TEST(Plot, WithoutValidationTheLossDecides) {
  checkpoint::History alone{{{"loss", {3, 1, 2}}, {"epoch", {5, 6, 7}}}};
  const auto best = best_epoch(alone);
  ASSERT_TRUE(best);
  EXPECT_EQ(best->epoch, 6);
  const PlotPanel panel = plot_panel({{"run", alone}}, "loss", 1, false);
  ASSERT_EQ(panel.best.size(), 1U);
  EXPECT_EQ(panel.best[0].epoch, 5.5);
  EXPECT_FALSE(best_epoch({}));
}

TEST(Plot, ALogarithmicAxisLeavesOutWhatIsNotPositive) {
  checkpoint::History one{{{"loss", {1.0, 0.0, -2.0, 0.5}}, {"epoch", {1, 2, 3, 4}}}};
  EXPECT_EQ(epochs_of(plot_panel({{"run", one}}, "loss", 1, true).lines.at(0).curve),
            (std::vector<double>{0.5, 3.5}));
  one.columns[0].second = {-1, -2, -3, -4};
  PlotOptions options;
  options.logarithmic = true;
  EXPECT_THROW(plot_script({{"run", one}}, options), InputError);
}

TEST(Plot, SmoothingIsTheMeanAround) {
  const PlotCurve curve = {{1, 0}, {2, 3}, {3, 6}, {4, 0}};
  const PlotCurve three = smoothed(curve, 3);
  EXPECT_EQ(three[0].value, 1.5);
  EXPECT_EQ(three[1].value, 3);
  EXPECT_EQ(three[3].value, 3);
  EXPECT_EQ(smoothed(curve, 1)[1].value, 3);
  EXPECT_EQ(smoothed(curve, 100)[2].value, 2.25);
}

TEST(Plot, TheLearningRateIsDrawnWhereTheHistoryHasIt) {
  const PlotPanel rates = learning_rate_panel({{"run", history()}});
  ASSERT_EQ(rates.lines.size(), 1U);
  EXPECT_EQ(epochs_of(rates.lines[0].curve), (std::vector<double>{0, 1, 2, 3, 4}));
  EXPECT_EQ(rates.lines[0].curve.back().value, 0.01);
  EXPECT_EQ(plot_results({{"run", history()}}), (std::vector<std::string>{"loss", "accuracy"}));
}

TEST(Plot, LabelsAreTheSettingsThatDiffer) {
  const auto ini = [](const std::string& optimizer, const std::string& more) {
    return "[model]\nlayer = Dense(5)\n" + more + "layer = Dense(1)\n\n[compile]\noptimizer = " + optimizer +
           "\n\n[checkpoint]\npath = " + optimizer + "\n";
  };
  EXPECT_EQ(plot_labels(
                {{"a.h5", ini("SGD(learning_rate=0.1)", "")}, {"b.h5", ini("SGD(learning_rate=0.001)", "")}}),
            (std::vector<std::string>{"learning_rate = 0.1", "learning_rate = 0.001"}));
  EXPECT_EQ(plot_labels({{"a.h5", ini("SGD(learning_rate=0.1, momentum=0.9)", "")},
                         {"b.h5", ini("SGD(learning_rate=0.1)", "")}}),
            (std::vector<std::string>{"momentum = 0.9", "momentum = default"}));
  EXPECT_EQ(plot_labels({{"a.h5", ini("SGD(0.1)", "")}, {"b.h5", ini("Adam(0.1)", "")}}),
            (std::vector<std::string>{"optimizer = SGD(0.1)", "optimizer = Adam(0.1)"}));
  EXPECT_EQ(
      plot_labels({{"a.h5", ini("sgd", "")}, {"b.h5", ini("sgd", "layer = Dropout(0.5)\n")}}),
      (std::vector<std::string>{"layers: Dense(5), Dense(1)", "layers: Dense(5), Dropout(0.5), Dense(1)"}));
  EXPECT_EQ(plot_labels({{"a.h5", "[run]\nseed = 1\n"}, {"b.h5", ""}}),
            (std::vector<std::string>{"seed = 1", "seed = default"}));
}

TEST(Plot, RunsThatSettingsDoNotTellApartGoByTheirFiles) {
  EXPECT_EQ(plot_labels({{"x/a.h5", ""}}), (std::vector<std::string>{"a"}));
  EXPECT_EQ(plot_labels({{"x/a.h5", ""}, {"x/b.h5", ""}}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(plot_labels({{"x/a.h5", ""}, {"y/a.h5", ""}}), (std::vector<std::string>{"x/a.h5", "y/a.h5"}));
  EXPECT_EQ(
      plot_labels(
          {{"a.h5", "[run]\nseed = 1\n"}, {"b.h5", "[run]\nseed = 1\n"}, {"c.h5", "[run]\nseed = 2\n"}}),
      (std::vector<std::string>{"a: seed = 1", "b: seed = 1", "seed = 2"}));
}

TEST(Plot, LongDifferencesComeAfterTheFilesNames) {
  const auto ini = [](const std::string& last) {
    return "[compile]\nloss = a_loss_with_a_long_name_" + last + "\nmetrics = metrics_that_are_long_" + last +
           "\noptimizer = Adam(learning_rate=0." + last + ")\n";
  };
  const std::vector<std::string> labels =
      plot_labels({{"x/first.h5", ini("1")}, {"x/second.h5", ini("2")}, {"y/third.h5", ini("3")}});
  ASSERT_EQ(labels.size(), 3U);
  EXPECT_TRUE(labels[0].starts_with("first: loss = a_loss")) << labels[0];
  EXPECT_TRUE(labels[1].starts_with("second: loss = a_loss")) << labels[1];
  for (const std::string& label : labels) EXPECT_LE(label.size(), 73U) << label;
}

TEST(Plot, RoomBelowAPanelNeverGoesBelowZeroAlone) {
  PlotPanel panel{"loss", {{0, false, {{1, 6000}, {2, 0.1}}}}, {}, {}};
  EXPECT_NE(value_axis(panel, false).find("graph 0.04, 0\n"), std::string::npos) << value_axis(panel, false);
  panel.lines[0].curve[1].value = -5;
  EXPECT_NE(value_axis(panel, false).find("graph 0.04, graph 0.04"), std::string::npos);
  panel.lines[0].curve[1].value = 5000;
  EXPECT_NE(value_axis(panel, false).find("graph 0.04, graph 0.04"), std::string::npos);
}

TEST(Plot, ATerminalsKeyNumbersTheRuns) {
  PlotOptions options;
  options.format = PlotFormat::kText;
  const std::string script = plot_script({{"a = 1", history()}, {"a = 2", history()}}, options);
  for (const char* words : {"'run 1: a = 1   (lowest", "'run 2: a = 2   (lowest", "title 'run 1 training'",
                            "title 'run 2 validation'", "title 'run 2'", "set format y '%g'"})
    EXPECT_NE(script.find(words), std::string::npos) << words << "\n" << script;
}

TEST(Plot, NoNameLeavesItsQuotes) {
  EXPECT_EQ(plot_quoted("it's `date` \n\"$x\""), "'it''s `date`  \"$x\"'");
}

TEST(Plot, AnUnknownResultIsRefusedWithThoseThatAre) {
  PlotOptions options;
  options.results = {"acuracy"};
  try {
    (void)plot_script({{"run", history()}}, options);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("loss, accuracy; did you mean \"accuracy\"?"), std::string::npos)
        << error.what();
  }
  options.results = {"val_accuracy"};  // the panel has both
  EXPECT_NE(plot_script({{"run", history()}}, options).find("'accuracy'"), std::string::npos);
}

// All ranks wait for the one whose core a drawing takes: what it took decides when the next may come.
TEST(Plot, WhatTakesLongIsDrawnSeldom) {
  EXPECT_EQ(pause_after(0), 5);
  for (const double seconds : {0.05, 0.5, 20.0}) EXPECT_LE(seconds / pause_after(seconds), 0.01) << seconds;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("plot_pause." + std::to_string(getpid()) + ".svg");
  const std::string script = "set terminal svg\nset samples 20000\nplot sin(x)\n";
  Gnuplot gnuplot(script, path.string(), GnuplotPriority::kIdle);
  gnuplot.finish();
  EXPECT_GT(gnuplot.processor_seconds(), 0);
  EXPECT_GT(std::filesystem::file_size(path), 0);
  std::filesystem::remove(path);
}

TEST(Plot, NothingButAPictureIsReplaced) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("nntrain_plot_" + std::to_string(getpid()));
  fs::create_directories(folder / "folder.png");
  const auto file = [&](const char* name, const char* text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  };
  EXPECT_NO_THROW(check_plot_output((folder / "new.png").string(), {}));
  EXPECT_NO_THROW(check_plot_output(file("old.svg", "<?xml version=\"1.0\"?>\n<svg>"), {}));
  EXPECT_NO_THROW(check_plot_output(file("old.txt", "nntrain-dist plot: ..."), {}));
  EXPECT_THROW(check_plot_output(file("notes.txt", "milk, bread"), {}), InputError);
  EXPECT_THROW(check_plot_output(file("data.png", "0,1,2"), {}), InputError);
  EXPECT_THROW(check_plot_output(file("in.svg", "<svg>"), {(folder / "folder.png/../in.svg").string()}),
               InputError);
  EXPECT_THROW(check_plot_output((folder / "folder.png").string(), {}), InputError);
  EXPECT_THROW(check_plot_output((folder / "run.h5").string(), {}), InputError);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace nntrain::train
