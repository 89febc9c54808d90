// run.profile: a trace that Chrome and Perfetto read, with every layer, activity and wait of every rank.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "cli_test.h"
#include "core/json.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kRun = R"(
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = 5000:5480
scale = 1/255
[model]
layer = Flatten()
layer = Dense(24, activation="relu", name='with "quotes" \\ and é')
layer = BatchNormalization()
layer = Dropout(0.1)
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.05, global_clipnorm=1.0)
metrics = accuracy
[fit]
epochs = 2
batch_size = 32
[run]
profile = traces/trace.json
)";
constexpr int kSteps = 30;  // of both epochs
const std::vector<std::string> kLayers = {"with \"quotes\" \\ and é", "batch_normalization", "dropout",
                                          "dense"};

struct Event {
  std::int64_t start, end;  // nanoseconds
  std::string name;
};
using Lanes = std::map<std::pair<int, int>, std::vector<Event>>;  // by rank and lane

Lanes lanes_of(const Json& trace) {
  Lanes lanes;
  for (const Json& entry : trace["traceEvents"]) {
    if (entry["ph"] != "X") continue;
    const auto start = static_cast<std::int64_t>(std::llround(entry["ts"].get<double>() * 1000));
    const auto length = static_cast<std::int64_t>(std::llround(entry["dur"].get<double>() * 1000));
    EXPECT_GE(start, 0);
    EXPECT_GE(length, 0);
    lanes[{entry["pid"].get<int>(), entry["tid"].get<int>()}].push_back(
        {start, start + length, entry["name"].get<std::string>()});
  }
  return lanes;
}

int count(const std::vector<Event>& events, const std::string& name) {
  return static_cast<int>(
      std::count_if(events.begin(), events.end(), [&](const Event& event) { return event.name == name; }));
}

/// Is every inner event inside one of the outer ones?
bool all_inside(const std::vector<Event>& inner, const std::vector<Event>& outer) {
  return std::all_of(inner.begin(), inner.end(), [&](const Event& one) {
    return std::any_of(outer.begin(), outer.end(),
                       [&](const Event& other) { return other.start <= one.start && one.end <= other.end; });
  });
}

class ProfileTest : public CliTest {
 protected:
  Json trace(int ranks, const std::string& options = "") {
    write("run.ini", kRun);
    const Outcome outcome = run(ranks, "train run.ini " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("traces/trace.json"), std::string::npos) << outcome.output;
    const Json json = Json::parse(read("traces/trace.json"), nullptr, false);
    EXPECT_FALSE(json.is_discarded());
    return json;
  }
};

TEST_F(ProfileTest, ShowsEveryLayerOfEveryRank) {
  Lanes lanes = lanes_of(trace(2));
  for (const int rank : {0, 1}) {
    SCOPED_TRACE(rank);
    const std::vector<Event>&steps = lanes[{rank, 0}], &activities = lanes[{rank, 1}],
          &layers = lanes[{rank, 2}];
    EXPECT_EQ(count(steps, "step"), kSteps);
    for (const char* name : {"input", "forward", "backward", "gradients", "optimizer"})
      EXPECT_EQ(count(activities, name), kSteps) << name;
    EXPECT_GE(count(activities, "exchange"), kSteps);
    EXPECT_EQ(count(activities, "checkpoint"), 4);  // the copy, and the wait for the disk, of two
    EXPECT_EQ(layers.size(), kLayers.size() * 2 * kSteps);
    for (const std::string& layer : kLayers) {
      EXPECT_EQ(count(layers, layer + " forward"), kSteps) << layer;
      EXPECT_EQ(count(layers, layer + " backward"), kSteps) << layer;
    }
    EXPECT_TRUE(all_inside(layers, activities));
  }
  // A rank that comes last to a barrier does not wait: only together they must have waited.
  EXPECT_GT(count(lanes[{0, 3}], "wait") + count(lanes[{1, 3}], "wait"), 0);
}

TEST_F(ProfileTest, EventsOfALaneNest) {
  for (auto& [lane, events] : lanes_of(trace(3, "--data.validation_rows=:100"))) {
    SCOPED_TRACE("rank " + std::to_string(lane.first) + ", lane " + std::to_string(lane.second));
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return a.start != b.start ? a.start < b.start : a.end > b.end;
    });
    std::vector<Event> open;
    for (const Event& event : events) {
      while (!open.empty() && open.back().end <= event.start) open.pop_back();
      if (!open.empty()) {
        EXPECT_LE(event.end, open.back().end) << event.name << " overlaps " << open.back().name;
      }
      open.push_back(event);
    }
  }
}

TEST_F(ProfileTest, NamesRanksAndLanes) {
  std::map<int, std::set<std::string>> names;
  const Json json = trace(2);
  for (const Json& entry : json["traceEvents"]) {
    if (entry["ph"] == "M") names[entry["pid"].get<int>()].insert(entry["args"]["name"].get<std::string>());
  }
  ASSERT_EQ(names.size(), 2U);
  for (const char* lane : {"steps", "activities", "layers", "waiting"})
    EXPECT_EQ(names[1].count(lane), 1U) << lane;
  EXPECT_EQ(names[0].lower_bound("rank 0 on ")->substr(0, 10), "rank 0 on ");
  EXPECT_EQ(names[1].lower_bound("rank 1 on ")->substr(0, 10), "rank 1 on ");
}

TEST_F(ProfileTest, AnUnwritablePathEndsTheRunBeforeItStarts) {
  write("run.ini", kRun);
  const Outcome outcome = run(2, "train run.ini --run.profile=/proc/nowhere/trace.json");
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.output.find("run.profile"), std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("Epoch 1/2"), std::string::npos) << outcome.output;
}

TEST_F(ProfileTest, ChangesNoBit) {
  trace(2);
  const std::string text = kRun;
  write("plain.ini", text.substr(0, text.find("[run]")));
  ASSERT_EQ(run(2, "train plain.ini").code, 0);
  EXPECT_EQ(digest("run.h5"), digest("plain.h5"));
}

}  // namespace
}  // namespace nntrain::cli_test
