// ModelCheckpoint, CSVLogger and TerminateOnNaN (keras/src/callbacks).

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "nntrain/core/error.h"
#include "train/callbacks.h"

namespace nntrain::train {

namespace {

/// Fills "{epoch:02d}-{val_loss:.2f}.h5". Throws InputError for a name that the results do not have.
std::string fill_pattern(const std::string& pattern, std::int64_t epoch, const Logs& logs) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '{') {
      path += pattern[i];
      continue;
    }
    const std::size_t close = pattern.find('}', i);
    if (close == std::string::npos) throw InputError("ModelCheckpoint: filepath \"" + pattern + "\" has a { without }");
    const std::string field = pattern.substr(i + 1, close - i - 1);
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string name = field.substr(0, colon);
    const std::string format = "{" + field.substr(colon) + "}";
    try {
      if (name == "epoch") {
        path += fmt::vformat(format, fmt::make_format_args(epoch));
      } else if (const auto value = logs.find(name)) {
        path += fmt::vformat(format, fmt::make_format_args(*value));
      } else {
        throw InputError("ModelCheckpoint: filepath \"" + pattern + "\" names \"" + name + "\"; the results are: epoch, " + logs.names());
      }
    } catch (const fmt::format_error& error) {
      throw InputError("ModelCheckpoint: filepath \"" + pattern + "\", field {" + field + "}: " + error.what());
    }
    i = close;
  }
  return path;
}

class ModelCheckpoint : public Callback {
 public:
  explicit ModelCheckpoint(const Json& config)
      : monitor_(config),
        path_(config["filepath"].get<std::string>()),
        verbose_(config["verbose"].get<std::int64_t>()),
        best_only_(config["save_best_only"].get<bool>()),
        weights_only_(config["save_weights_only"].get<bool>()) {
    const Json& frequency = config["save_freq"];
    if (frequency.is_number_integer() && frequency.get<std::int64_t>() > 0) {
      steps_ = frequency.get<std::int64_t>();
    } else if (frequency != "epoch") {
      throw InputError("ModelCheckpoint: save_freq must be \"epoch\" or a number of batches, got " + frequency.dump());
    }
    if (!path_.ends_with(".h5") && !path_.ends_with(".hdf5")) {
      throw InputError("ModelCheckpoint: filepath \"" + path_ + "\" must end in .h5, or Keras will not open it");
    }
    if (!config["initial_value_threshold"].is_null()) {
      best_ = config["initial_value_threshold"].get<double>();
      has_best_ = true;
    }
  }

  std::int64_t every_steps() const override { return steps_; }
  void on_steps(Control& control, std::int64_t epoch, const Logs& logs) override { save(control, epoch, logs); }
  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    if (steps_ == 0) save(control, epoch, logs);
  }

  Json state() const override { return {{"best", has_best_ ? Json(best_) : Json()}}; }
  void set_state(const Json& state) override {
    has_best_ = state.contains("best") && state["best"].is_number();
    if (has_best_) best_ = state["best"].get<double>();
  }

 private:
  void save(Control& control, std::int64_t epoch, const Logs& logs) {
    if (best_only_) {
      const double now = monitor_.value(logs, "ModelCheckpoint");
      if (!has_best_) best_ = monitor_.worst(control);
      has_best_ = true;
      if (!monitor_.improves(control, now, best_)) return;
      best_ = now;
    }
    const std::string path = fill_pattern(path_, epoch + 1, logs);
    if (verbose_ > 0) control.say(fmt::format("Epoch {}: saving model to {}", epoch + 1, path));
    control.save(path, weights_only_ ? Control::Save::kWeightsOnly : Control::Save::kCheckpoint);
  }

  Monitor monitor_;
  std::string path_;
  std::int64_t verbose_;
  bool best_only_, weights_only_;
  std::int64_t steps_ = 0;
  double best_ = 0;
  bool has_best_ = false;
};

class CsvLogger : public Callback {
 public:
  explicit CsvLogger(const Json& config)
      : path_(config["filename"].get<std::string>()),
        separator_(config["separator"].get<std::string>()),
        append_(config["append"].get<bool>()) {}

  /// Rows after the checkpoint, which a killed run left behind, are cut; a fresh run starts a fresh file.
  void on_train_begin(Control& control, std::int64_t epoch) override {
    if (!control.is_root()) return;
    std::string kept;
    if (epoch > 0 || append_) {
      std::ifstream old(path_);
      std::string line;
      for (std::int64_t row = -1; std::getline(old, line); ++row) {
        const bool header = row < 0;
        if (header) columns_ = split(line);
        if (!header && epoch > 0 && std::strtoll(line.c_str(), nullptr, 10) >= epoch) continue;
        kept += line + "\n";
      }
    }
    write(kept, std::ios::trunc);
  }

  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    if (!control.is_root()) return;
    std::string text;
    if (columns_.empty()) {
      columns_.push_back("epoch");
      for (const auto& [name, value] : logs.values) columns_.push_back(name);
      for (const std::string& column : columns_) text += (text.empty() ? "" : separator_) + column;
      text += "\n";
    }
    text += std::to_string(epoch);
    for (std::size_t i = 1; i < columns_.size(); ++i) {
      const auto value = logs.find(columns_[i]);
      text += separator_ + (value ? fmt::format("{}", *value) : "NA");
    }
    write(text + "\n", std::ios::app);
  }

 private:
  std::vector<std::string> split(const std::string& line) const {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= line.size()) {
      const std::size_t end = std::min(line.find(separator_, start), line.size());
      parts.push_back(line.substr(start, end - start));
      start = end + separator_.size();
    }
    return parts;
  }

  void write(const std::string& text, std::ios::openmode mode) const {
    const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder);
    std::ofstream file(path_, mode);
    file << text;
    file.flush();
    if (!file) throw RuntimeError("CSVLogger: cannot write \"" + path_ + "\"");
  }

  std::string path_, separator_;
  bool append_;
  std::vector<std::string> columns_;
};

class TerminateOnNaN : public Callback {
 public:
  explicit TerminateOnNaN(const Json& config) : raises_(config["raise_error"].get<bool>()) {}
  void on_invalid_loss(Control& control, std::int64_t step) override {
    const std::string message = fmt::format("Batch {}: Invalid loss, terminating training", step);
    if (raises_) throw DivergedError(message);
    control.fail_diverged(message);
  }

 private:
  bool raises_;
};

}  // namespace

void add_model_checkpoint(Registry<Callback>& registry) {
  registry.add({"ModelCheckpoint",
                {"model_checkpoint"},
                {{"filepath", Kind::kText, nullptr, true},
                 {"monitor", Kind::kText, "val_loss"},
                 {"verbose", Kind::kInteger, 0},
                 {"save_best_only", Kind::kBoolean, false},
                 {"save_weights_only", Kind::kBoolean, false},
                 {"mode", Kind::kText, "auto"},
                 {"save_freq", Kind::kAny, "epoch"},
                 {"initial_value_threshold", Kind::kNumber, nullptr, false, true}},
                "Writes a checkpoint beside the run's own; the file name may be a pattern such as "
                "{epoch:02d}-{val_loss:.2f}.h5 (keras.callbacks.ModelCheckpoint)."},
               [](const Json& config) { return std::make_unique<ModelCheckpoint>(config); });
}

void add_csv_logger(Registry<Callback>& registry) {
  registry.add({"CSVLogger",
                {"csv_logger"},
                {{"filename", Kind::kText, nullptr, true},
                 {"separator", Kind::kText, ","},
                 {"append", Kind::kBoolean, false}},
                "A row of results for every epoch (keras.callbacks.CSVLogger); a resumed run cuts the rows after its "
                "checkpoint and goes on."},
               [](const Json& config) { return std::make_unique<CsvLogger>(config); });
}

void add_terminate_on_nan(Registry<Callback>& registry) {
  registry.add({"TerminateOnNaN",
                {"terminate_on_nan"},
                {{"raise_error", Kind::kBoolean, false}},
                "Stops at the first NaN or Inf loss, exit code 3 (keras.callbacks.TerminateOnNaN)."},
               [](const Json& config) { return std::make_unique<TerminateOnNaN>(config); });
}

}  // namespace nntrain::train
