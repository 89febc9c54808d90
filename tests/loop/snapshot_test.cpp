// A snapshot holds every field of a checkpoint, and a run that was restored from it gives the same one again.

#include "train/run/snapshot.h"

#include <gtest/gtest.h>

#include "checkpoint/digest.h"
#include "checkpoint/fields.h"
#include "small_run.h"

namespace nntrain::train {
namespace {

/// Ends a run after step 13, in the middle of its third epoch, with a stop.
class StopAfter13 : public Callback {
 public:
  std::int64_t every_steps() const override { return 13; }
  void on_steps(Control&, std::int64_t, const Logs&) override { token->request_stop(StopReason::kRequested); }
};

void register_stop() {
  static const bool once = [] {
    callbacks().add({"StopAfter13", {"stop_after_13"}, {}, "for this test"},
                    [](const Json&) { return std::make_unique<StopAfter13>(); });
    return true;
  }();
  (void)once;
}

/// A visitor that expects something in each field.
struct Full {
  void operator()(const char* name, const checkpoint::RunState& state) const {
    checkpoint::each_state_field(state, [&](const char* field, const auto& value) {
      if (std::string(field) == "finished") return;
      EXPECT_NE(static_cast<double>(value), 0) << name << "." << field;
    });
  }
  void operator()(const char* name, const checkpoint::MetricSums& sums) const {
    EXPECT_FALSE(sums.values.empty()) << name;
    EXPECT_GT(sums.width, 0);
  }
  void operator()(const char* name, const checkpoint::History& history) const {
    EXPECT_FALSE(history.columns.empty()) << name;
  }
  template <class T>
  void operator()(const char* name, const T& value) const {
    EXPECT_FALSE(value.empty()) << name;
  }
};

/// The digest of each field by itself.
std::map<std::string, std::string> digests_of_fields(const checkpoint::Contents& contents) {
  std::map<std::string, std::string> digests;
  checkpoint::each_field(contents, [&](const char* name, const auto& value) {
    checkpoint::Contents only;  // every other field is as in any empty checkpoint
    checkpoint::each_field(only, [&](const char* other, auto& place) {
      if constexpr (std::is_same_v<std::decay_t<decltype(place)>, std::decay_t<decltype(value)>>) {
        if (std::string_view(other) == name) place = value;
      }
    });
    digests[name] = checkpoint::payload_digest(only);
  });
  return digests;
}

Options everything(const std::string& path) {
  Options options = small_run(path);
  options["compile.optimizer"] = "Nadam(0.01, use_ema=True)";
  options["run.seed"] = "7";
  return options;
}

const Callbacks kCallbacks = {"EarlyStopping(monitor=\"val_loss\", patience=5, restore_best_weights=True)",
                              "StopAfter13()"};

/// Its slots, and what it counts by itself (Nadam's product), go on where they were.
TEST(Snapshot, EveryOptimizerGoesOnAsIfItHadNeverStopped) {
  register_stop();
  int number = 0;
  for (const Signature* optimizer : optim::optimizers().signatures()) {
    if (session().size() > 1 && number++ % 5 != 3) continue;  // one process tries all: Nadam, Ftrl here
    const Folder folder;
    Options options = small_run(folder.file("straight.h5"));
    // As in Keras, epsilon_1 = 1e-30 leaves 0 / 0 where a row and a column of a gradient are both zero.
    const char* more = optimizer->class_name == "Adafactor" ? ", epsilon_1=1e-10)" : ")";
    options["compile.optimizer"] = optimizer->class_name + "(learning_rate=0.01" + more;
    options["fit.epochs"] = "3";
    ASSERT_EQ(train_once(options, {}), ExitCode::kDone) << optimizer->class_name;
    options["checkpoint.path"] = folder.file("stopped.h5");
    ASSERT_EQ(train_once(options, {"StopAfter13()"}), ExitCode::kResumable) << optimizer->class_name;
    ASSERT_EQ(train_once(options, {}), ExitCode::kDone) << optimizer->class_name;
    if (!session().is_root()) continue;
    const checkpoint::Contents straight = checkpoint::read(folder.file("straight.h5")),
                               stopped = checkpoint::read(folder.file("stopped.h5"));
    EXPECT_EQ(checkpoint::weights_digest(stopped.weights), checkpoint::weights_digest(straight.weights))
        << optimizer->class_name;
    EXPECT_EQ(stopped.optimizer_scalars, straight.optimizer_scalars) << optimizer->class_name;
    ASSERT_EQ(stopped.slots.size(), straight.slots.size());
    for (std::size_t k = 0; k < straight.slots.size(); ++k)
      EXPECT_EQ(stopped.slots[k].values, straight.slots[k].values) << optimizer->class_name;
  }
}

TEST(Snapshot, HoldsEveryFieldAndComesBackFromARestoredRun) {
  register_stop();
  const Folder folder;
  const Options options = everything(folder.file("run.h5"));
  ASSERT_EQ(train_once(options, kCallbacks), ExitCode::kResumable);
  StopToken stop;
  Log log(session().is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
  const auto run = open_run(session(), configuration_of(options, kCallbacks), {log, stop, "test"});
  const checkpoint::Contents again = take(*run);
  if (!session().is_root()) return;
  const checkpoint::Contents saved = checkpoint::read(folder.file("run.h5"));
  checkpoint::each_field(saved, Full{});
  const std::map<std::string, std::string> before = digests_of_fields(saved),
                                           after = digests_of_fields(again);
  EXPECT_EQ(before.size(), 14U);
  for (const auto& [name, digest] : before) EXPECT_EQ(after.at(name), digest) << name;
}

/// What a run says when it goes on after step 14 (the stop travels with it), inside its third epoch, with
/// these changes.
std::string notes_of_going_on(const Options& options) {
  StopToken stop;
  Log log(Log::Voice::kSilent);
  const auto run = open_run(session(), configuration_of(options, {}), {log, stop, "test"});
  std::string notes;
  for (const std::string& note : run->notes) notes += note + "\n";
  return notes;
}

constexpr const char* kAnew = "inside epoch 3: its results cover the steps from 5 on";

/// Sums of other metrics may be as many: nothing is added to them.
TEST(Snapshot, SumsOfAnEpochGoOnWithTheSameMetricsOnly) {
  register_stop();
  const Folder folder;
  Options options = small_run(folder.file("run.h5"));
  options["compile.metrics"] = "SparseTopKCategoricalAccuracy(k=1, name=\"top\")";
  ASSERT_EQ(train_once(options, {"StopAfter13()"}), ExitCode::kResumable);
  EXPECT_EQ(notes_of_going_on(options).find(kAnew), std::string::npos);
  for (const char* other : {"SparseTopKCategoricalAccuracy(k=2, name=\"top\")", "accuracy", "",
                            "SparseTopKCategoricalAccuracy(k=1, name=\"best\")"}) {
    options["compile.metrics"] = other;
    EXPECT_NE(notes_of_going_on(options).find(kAnew), std::string::npos) << other;
  }
  options["compile.weighted_metrics"] = small_run("")["compile.metrics"];
  options["compile.metrics"] = "";
  EXPECT_NE(notes_of_going_on(options).find(kAnew), std::string::npos) << "weighted";
  options.erase("compile.weighted_metrics");
  options["compile.metrics"] = "SparseTopKCategoricalAccuracy(k=10, name=\"top\")";
  options["fit.epochs"] = "3";
  ASSERT_EQ(train_once(options, {}), ExitCode::kDone);
  if (!session().is_root()) return;
  for (const auto& [name, column] : checkpoint::read(folder.file("run.h5")).history.columns) {
    if (name != "top") continue;
    EXPECT_EQ(column.back(), 1.0);  // of 10 classes
  }
}

/// A checkpoint of a version that recorded metrics for Keras alone.
TEST(Snapshot, OlderCheckpointsTellTheirMetricsToo) {
  register_stop();
  const Folder folder;
  Options options = small_run(folder.file("run.h5"));
  options["compile.metrics"] = "SparseTopKCategoricalAccuracy(k=1, name=\"top\")";
  ASSERT_EQ(train_once(options, {"StopAfter13()"}), ExitCode::kResumable);
  if (session().is_root()) {
    checkpoint::Contents contents = checkpoint::read(folder.file("run.h5"));
    contents.environment.erase("metrics");
    contents.environment.erase("weighted_metrics");
    std::filesystem::remove(folder.file("run.h5"));
    checkpoint::write(folder.file("run.h5"), contents);
  }
  session().barrier();
  EXPECT_EQ(notes_of_going_on(options).find(kAnew), std::string::npos);
  options["compile.metrics"] = "SparseTopKCategoricalAccuracy(k=2, name=\"top\")";
  EXPECT_NE(notes_of_going_on(options).find(kAnew), std::string::npos);
}

}  // namespace
}  // namespace nntrain::train
