// Every field of a checkpoint: seen by the digest, written and read back.

#include "checkpoint/fields.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "checkpoint/digest.h"
#include "contents.h"

namespace nntrain::checkpoint {
namespace {

/// Changes the field number `wanted` of those it visits (a state counts as seven), the least change it can.
class Changer {
 public:
  explicit Changer(int wanted) : wanted_(wanted) {}
  const std::string& changed() const { return changed_; }

  void operator()(const char* name, RunState& state) {
    each_state_field(state, [&](const char* field, auto& value) {
      if (is_wanted(std::string(name) + "." + field))
        value = static_cast<std::decay_t<decltype(value)>>(!value);
    });
  }
  template <class T>
  void operator()(const char* name, T& value) {
    if (is_wanted(name)) change(value);
  }

 private:
  bool is_wanted(const std::string& name) {
    if (seen_++ != wanted_) return false;
    changed_ = name;
    return true;
  }
  static void change(Json& value) { value = Json{{"another", 1}}; }
  static void change(std::string& value) { value += "x"; }
  static void change(std::vector<double>& values) { values.back() = std::nextafter(values.back(), 1e9); }
  static void change(std::vector<WeightArray>& weights) {
    weights.back().values.back() = std::nextafter(weights.back().values.back(), 1e9F);
  }
  static void change(History& history) { change(history.columns.back().second); }
  static void change(std::vector<Slot>& slots) {
    slots.back().values.back().back() = std::nextafter(slots.back().values.back().back(), 1e9F);
  }
  static void change(MetricSums& sums) { change(sums.values); }
  static void change(KeptWeights& sets) { change(sets.back().second); }

  int wanted_, seen_ = 0;
  std::string changed_;
};

TEST(Fields, EachChangesTheDigestAndComesBackFromTheFile) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("nntrain_fields_" + std::to_string(getpid()) + ".h5"))
          .string();
  const std::string before = payload_digest(example());
  int fields = 0;
  for (;; ++fields) {
    Contents contents = example();
    // The model must stay one that fits the weights, so its text is changed in a place of no meaning.
    Changer changer(fields);
    each_field(contents, changer);
    if (changer.changed().empty()) break;
    if (changer.changed() == "model_config") {
      contents.model_config = example().model_config;
      contents.model_config["config"]["name"] = "n";
    }
    EXPECT_NE(payload_digest(contents), before) << changer.changed();
    write(path, contents);
    EXPECT_EQ(payload_digest(read(path)), payload_digest(contents)) << changer.changed();
  }
  EXPECT_EQ(fields, 20);  // 14, one of them a state of seven
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace nntrain::checkpoint
