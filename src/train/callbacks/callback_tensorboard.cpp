// TensorBoard (keras/src/callbacks/tensorboard.py): the same folders, tags and steps as Keras'.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/call.h"
#include "core/error.h"
#include "core/sha256.h"
#include "train/callbacks/callbacks.h"
#include "train/callbacks/event_log.h"

namespace nntrain::train {

namespace {

/// Tells the files of this run from others in one log_dir: a run is its checkpoint.
std::string run_of(const std::string& checkpoint) {
  Sha256 digest;
  digest.add_text(std::filesystem::absolute(checkpoint).lexically_normal().string());
  return digest.hex().substr(0, 12) + ".nntrain";
}

/// Markdown that shows `text` as it is.
std::string as_code(const std::string& text) {
  std::istringstream lines(text);
  std::string code;
  for (std::string line; std::getline(lines, line);) code += "    " + line + "\n";
  return code;
}

class TensorBoard : public Callback {
 public:
  explicit TensorBoard(const Json& config)
      : folder_(config["log_dir"].get<std::string>()),
        histogram_freq_(config["histogram_freq"].get<std::int64_t>()),
        write_graph_(config["write_graph"].get<bool>()),
        write_speed_(config["write_steps_per_second"].get<bool>()) {
    if (folder_.empty()) throw InputError("TensorBoard: log_dir is empty");
    if (histogram_freq_ < 0) {
      throw InputError(fmt::format(
          "TensorBoard: histogram_freq = {} must be a number of epochs, or 0 for none", histogram_freq_));
    }
    const Json usual = {{"write_images", false},
                        {"profile_batch", 0},
                        {"embeddings_freq", 0},
                        {"embeddings_metadata", nullptr}};
    for (const auto& [name, value] : usual.items()) {
      if (config[name] != value) {
        throw InputError(fmt::format("TensorBoard: {} = {} is not supported, only {}; leave it out", name,
                                     config[name].dump(), format_call(value)));
      }
    }
    const Json& frequency = config["update_freq"];
    if (frequency == "batch") {
      steps_ = 1;
    } else if (frequency.is_number_integer() && frequency.get<std::int64_t>() > 0) {
      steps_ = frequency.get<std::int64_t>();
    } else if (frequency != "epoch") {
      throw InputError("TensorBoard: update_freq must be \"epoch\", \"batch\" or a number of batches, got " +
                       frequency.dump());
    }
  }

  void check(const Control& control) const override {
    (void)control;
    for (const char* part : {"", "train", "validation"}) {
      const std::filesystem::path folder = std::filesystem::path(folder_) / part;
      std::error_code ignored;
      if (std::filesystem::exists(folder, ignored) && !std::filesystem::is_directory(folder, ignored))
        throw InputError("TensorBoard: log_dir: \"" + folder.string() +
                         "\" is a file; events go into a folder of their own");
    }
  }

  void on_train_begin(Control& control, std::int64_t epoch) override {
    mark(control);
    control.write_on_root("TensorBoard", [&] { begin(control, epoch); });
  }

  void on_epoch_begin(Control& control, std::int64_t epoch) override {
    (void)epoch;
    mark(control);
  }

  std::int64_t every_steps() const override { return steps_; }
  void on_steps(Control& control, std::int64_t epoch, const Logs& logs) override {
    (void)epoch;
    control.write_on_root("TensorBoard", [&] { write_batch(control, logs); });
  }

  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    control.write_on_root("TensorBoard", [&] { write_results(control, epoch, logs); });
    if (histogram_freq_ > 0 && epoch % histogram_freq_ == 0) {
      control.each_weight([&](const std::string& name, std::span<const float> values) {
        train_->file().histogram(name + "/histogram", epoch, wall_time(), values);
      });
    }
    control.write_on_root("TensorBoard", [&] {
      train_->flush();
      validation_->flush();
    });
  }

  Json state() const override {
    if (!train_) return Json::object();
    return {{"train", train_->state()}, {"validation", validation_->state()}};
  }
  void set_state(const Json& state) override { state_ = state; }

 private:
  void begin(const Control& control, std::int64_t epoch) {
    const std::string run = run_of(control.checkpoint_path());
    train_ = std::make_unique<EventLog>((std::filesystem::path(folder_) / "train").string(), run);
    validation_ = std::make_unique<EventLog>((std::filesystem::path(folder_) / "validation").string(), run);
    train_->begin(events_of_checkpoint(control, "train"));
    validation_->begin(events_of_checkpoint(control, "validation"));
    if (control.resumed()) return;
    const double now = wall_time();
    if (write_graph_) train_->file().keras_model(0, now, control.model_config().dump());
    train_->file().text("configuration", epoch, now, as_code(control.configuration()));
    train_->flush();
  }

  void write_batch(const Control& control, const Logs& logs) {
    const double now = wall_time();
    EventFile& file = train_->file();
    if (write_speed_) {
      file.scalar("batch_steps_per_second", control.iteration(), now,
                  speed(control, speed_iteration_, speed_time_));
    }
    speed_iteration_ = control.iteration();
    speed_time_ = now;
    for (const auto& [name, value] : logs.values)
      file.scalar("batch_" + name, control.iteration(), now, value);
    train_->flush();
  }

  /// A callback that is new to a resumed run has no state: what is there stays.
  EventLog::Start events_of_checkpoint(const Control& control, const char* folder) const {
    if (!control.resumed()) return {EventLog::Start::Kind::kFresh, {}};
    if (!state_.is_object() || !state_.contains(folder)) return {EventLog::Start::Kind::kKeep, {}};
    return {EventLog::Start::Kind::kCut, state_[folder]};
  }

  void write_results(const Control& control, std::int64_t epoch, const Logs& logs) {
    const double now = wall_time();
    for (const auto& [name, value] : logs.values) {
      if (name.starts_with("val_")) {
        EventFile& file = validation_->file();
        file.scalar("evaluation_" + name.substr(4) + "_vs_iterations", control.iteration(), now, value);
        file.scalar("epoch_" + name.substr(4), epoch, now, value);
      } else if (name != "learning_rate") {
        train_->file().scalar("epoch_" + name, epoch, now, value);
      }
    }
    train_->file().scalar("epoch_learning_rate", epoch, now, control.learning_rate());
    if (write_speed_) {
      train_->file().scalar("epoch_steps_per_second", epoch, now,
                            speed(control, epoch_iteration_, epoch_time_));
    }
  }

  void mark(const Control& control) {
    epoch_iteration_ = speed_iteration_ = control.iteration();
    epoch_time_ = speed_time_ = wall_time();
  }

  static double speed(const Control& control, std::int64_t since_iteration, double since_time) {
    return static_cast<double>(control.iteration() - since_iteration) /
           std::max(wall_time() - since_time, 1e-9);
  }

  std::string folder_;
  std::int64_t histogram_freq_;
  bool write_graph_, write_speed_;
  std::int64_t steps_ = 0;
  Json state_;
  std::unique_ptr<EventLog> train_, validation_;  ///< on rank 0
  std::int64_t epoch_iteration_ = 0, speed_iteration_ = 0;
  double epoch_time_ = 0, speed_time_ = 0;
};

}  // namespace

void add_tensorboard(Registry<Callback>& registry) {
  registry.add(
      {"TensorBoard",
       {"tensorboard", "tensor_board"},
       {{"log_dir", Kind::kText, "logs"},
        {"histogram_freq", Kind::kInteger, 0},
        {"write_graph", Kind::kBoolean, true},
        {"write_images", Kind::kBoolean, false, false, false, nullptr, true},
        {"write_steps_per_second", Kind::kBoolean, false},
        {"update_freq", Kind::kAny, "epoch"},
        {"profile_batch", Kind::kAny, 0, false, false, nullptr, true},
        {"embeddings_freq", Kind::kInteger, 0, false, false, nullptr, true},
        {"embeddings_metadata", Kind::kAny, nullptr, false, true, nullptr, true}},
       "Results, learning rate, histograms of the weights, architecture and configuration for "
       "TensorBoard (keras.callbacks.TensorBoard); a resumed run cuts what came after its checkpoint."},
      [](const Json& config) { return std::make_unique<TensorBoard>(config); });
}

}  // namespace nntrain::train
