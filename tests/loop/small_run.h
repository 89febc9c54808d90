#pragma once
// A small run for the tests of the loop, alike on every rank.

#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "mpi_main.h"
#include "train/loop/fit.h"

namespace nntrain::train {

using mpi_test::session;

using Options = std::map<std::string, std::string>;

/// A folder for all ranks; made by the root's process number.
class Folder {
 public:
  Folder() {
    path_ = session().broadcast_text(
        (std::filesystem::temp_directory_path() / ("nntrain_loop_" + std::to_string(getpid()))).string());
    if (session().is_root()) std::filesystem::create_directories(path_);
    session().barrier();
  }
  ~Folder() {
    session().barrier();
    if (session().is_root()) std::filesystem::remove_all(path_);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// 5 steps an epoch, 4 epochs, validation of 2 batches' worth.
inline Options small_run(const std::string& checkpoint) {
  const std::string data = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";
  return {{"data.inputs", data + "fashion_images.npy"},
          {"data.targets", data + "fashion_labels.npy"},
          {"data.rows", ":40"},
          {"data.validation_rows", "40:60"},
          {"data.scale", "1/255"},
          {"compile.loss", "sparse_categorical_crossentropy"},
          {"compile.optimizer", "Adam(0.01)"},
          {"compile.metrics", "accuracy"},
          {"fit.batch_size", "8"},
          {"fit.epochs", "4"},
          {"fit.verbose", "0"},
          {"run.shards", "4"},
          {"checkpoint.path", checkpoint}};
}

using Callbacks = std::vector<std::string>;

inline constexpr const char* kClassifier = "Dense(10, activation=\"softmax\")";
inline constexpr const char* kRegression = "Dense(1)";

inline Configuration configuration_of(const Options& options, const Callbacks& callbacks) {
  Configuration configuration;
  for (const auto& [key, text] : options) configuration.add(key, {text, "test"});
  const char* last = options.at("compile.loss") == "mean_squared_error" ? kRegression : kClassifier;
  for (const char* layer : {"Flatten()", "Dense(6, activation=\"relu\")", "Dropout(0.2)", last})
    configuration.add("model.layer", {layer, "test"});
  for (const std::string& callback : callbacks) configuration.add("fit.callback", {callback, "test"});
  return configuration;
}

/// What the callbacks of a test write to.
inline StopToken* token = nullptr;

inline ExitCode train_once(const Options& options, const Callbacks& callbacks) {
  StopToken stop;
  Log log(session().is_root() ? Log::Voice::kSpeaks : Log::Voice::kSilent);
  token = &stop;
  const auto run = open_run(session(), configuration_of(options, callbacks), {log, stop, "test"});
  const ExitCode code = fit(*run);
  token = nullptr;
  return code;
}

}  // namespace nntrain::train
