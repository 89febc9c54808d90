// Copies of the weights that drift apart end the run, whichever bit of whichever copy it is. Runs on virtual
// nodes, each of which has a copy. Every rank takes part.

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "mpi_main.h"
#include "train/loop/fit.h"

namespace nntrain::train {
namespace {

namespace fs = std::filesystem;
using mpi_test::session;

Run* run_at_hand = nullptr;

/// Flips bit `bit` of value `element` of variable `variable` in the last node's copy, after step `at`.
class FlipAt : public Callback {
 public:
  explicit FlipAt(const Json& config) : config_(config) {}
  std::int64_t every_steps() const override { return 1; }
  void on_steps(Control& control, std::int64_t, const Logs&) override {
    if (control.iteration() != number("at")) return;
    Run& run = *run_at_hand;
    run.engine->settle();
    run.session.barrier();
    const bool last_copy =
        run.engine->exchange().private_values()
            ? run.session.rank() + 1 == run.session.size()
            : run.session.node() + 1 == run.session.nodes() && run.session.local_rank() == 0;
    if (last_copy) flip(run.model->variables()[static_cast<std::size_t>(number("variable"))]);
    run.session.barrier();
  }

 private:
  std::int64_t number(const char* name) const { return config_[name].get<std::int64_t>(); }
  void flip(const nn::Variable& variable) const {
    float& value = variable.values[number("element")];
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    bits ^= 1U << static_cast<unsigned>(number("bit"));
    std::memcpy(&value, &bits, sizeof(bits));
  }

  Json config_;
};

void register_flip_at() {
  static const bool once = [] {
    std::vector<Parameter> parameters;
    for (const char* name : {"at", "variable", "element", "bit"})
      parameters.push_back({name, Kind::kInteger, nullptr, true});
    callbacks().add({"FlipAt", {"flip_at"}, parameters, "for this test"},
                    [](const Json& config) { return std::make_unique<FlipAt>(config); });
    return true;
  }();
  (void)once;
}

/// The error that a run of 20 steps ends with; "" when it is done. The variables are two of
/// dense, four of batch_normalization, two of dense_1.
std::string error_of(const std::string& flip, const std::string& verify_every,
                     const std::string& every_epochs) {
  register_flip_at();
  const std::string data = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";
  const std::string folder = session().broadcast_text(
      (fs::temp_directory_path() / ("nntrain_replicas_" + std::to_string(getpid()))).string());
  Configuration configuration;
  const auto set = [&](const char* key, const std::string& text) { configuration.add(key, {text, "test"}); };
  set("data.inputs", data + "fashion_images.npy");
  set("data.targets", data + "fashion_labels.npy");
  set("data.rows", ":40");
  set("data.scale", "1/255");
  set("compile.loss", "sparse_categorical_crossentropy");
  set("fit.batch_size", "8");
  set("fit.epochs", "4");
  set("fit.verbose", "0");
  set("fit.callback", flip);
  set("run.shards", "4");
  set("run.verify_every", verify_every);
  set("checkpoint.path", folder + "/run.h5");
  set("checkpoint.every_epochs", every_epochs);
  for (const char* layer : {"Flatten()", "Dense(8, activation=\"relu\")", "BatchNormalization()",
                            "Dense(10, activation=\"softmax\")"})
    set("model.layer", layer);
  if (session().is_root()) fs::create_directories(folder);
  session().barrier();
  std::string text;
  {
    StopToken stop;
    Log log(session().is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
    const auto run = open_run(session(), configuration, {log, stop, "test"});
    run_at_hand = run.get();
    try {
      EXPECT_EQ(fit(*run), ExitCode::kDone);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kRuntime);
      text = error.what();
    }
  }
  session().barrier();
  if (session().is_root()) fs::remove_all(folder);
  return text;
}

bool has_copies() { return session().nodes() > 1; }

std::string flip(int at, int variable, int element, int bit) {
  return "FlipAt(" + std::to_string(at) + ", " + std::to_string(variable) + ", " + std::to_string(element) +
         ", " + std::to_string(bit) + ")";
}

TEST(Replicas, OneFlippedBitEndsTheRunAndIsNamed) {
  struct Case {
    int variable, element, bit;
    const char* name;
  };
  // The first and last value of the model, one in the middle, the lowest and the highest bit, moving
  // statistics.
  for (const Case& one :
       {Case{0, 0, 0, "element 0 of dense/kernel"}, Case{0, 1567, 31, "element 1567 of dense/kernel"},
        Case{1, 7, 1, "element 7 of dense/bias"},
        Case{4, 3, 0, "element 3 of batch_normalization/moving_mean"},
        Case{7, 9, 22, "element 9 of dense_1/bias"}}) {
    const std::string text = error_of(flip(3, one.variable, one.element, one.bit), "1", "1");
    if (!has_copies()) {
      EXPECT_EQ(text, "");
      continue;
    }
    EXPECT_NE(text.find(one.name), std::string::npos) << text;
    EXPECT_NE(text.find("drifted apart"), std::string::npos) << text;
    const int first_rank = session().size() - session().node_sizes().back();
    EXPECT_NE(text.find("rank " + std::to_string(first_rank) + " on " + session().host()), std::string::npos)
        << text;
  }
}

/// Step 5 ends an epoch, whose checkpoint would hold it.
TEST(Replicas, AreComparedBeforeACheckpoint) {
  const std::string text = error_of(flip(5, 0, 0, 3), "1000", "1");
  EXPECT_EQ(text.find("element 0 of dense/kernel") != std::string::npos, has_copies()) << text;
}

TEST(Replicas, AreNotComparedWhenNotAskedFor) { EXPECT_EQ(error_of(flip(3, 0, 0, 0), "0", "1"), ""); }

}  // namespace
}  // namespace nntrain::train
