// ModelCheckpoint and TerminateOnNaN (keras/src/callbacks).

#include <fmt/format.h>

#include <algorithm>

#include "checkpoint/run_file.h"
#include "core/error.h"
#include "train/callbacks/callbacks.h"

namespace nntrain::train {

namespace {

/// A name such as "{epoch:02d}-{val_loss:.2f}.h5".
class Pattern {
 public:
  explicit Pattern(std::string text) : text_(std::move(text)) {
    std::size_t start = 0;
    for (std::size_t open = 0; (open = text_.find('{', start)) != std::string::npos;) {
      const std::size_t close = text_.find('}', open);
      if (close == std::string::npos)
        throw InputError("ModelCheckpoint: filepath \"" + text_ + "\" has a { without }");
      const std::string field = text_.substr(open + 1, close - open - 1);
      const std::size_t colon = std::min(field.find(':'), field.size());
      parts_.push_back(
          {text_.substr(start, open - start), field.substr(0, colon), "{" + field.substr(colon) + "}"});
      start = close + 1;
    }
    rest_ = text_.substr(start);
  }

  const std::string& text() const { return text_; }
  bool is_fixed() const { return parts_.empty(); }

  /// Do these results have every name?
  bool fits(const Logs& logs) const {
    return std::all_of(parts_.begin(), parts_.end(),
                       [&](const Part& part) { return part.name == "epoch" || logs.find(part.name); });
  }

  /// Throws InputError for a name that the results do not have and for a format that does not suit.
  std::string fill(std::int64_t epoch, const Logs& logs) const {
    std::string path;
    for (const Part& part : parts_) {
      path += part.before;
      try {
        if (part.name == "epoch") {
          path += fmt::vformat(part.format, fmt::make_format_args(epoch));
        } else if (const auto value = logs.find(part.name)) {
          path += fmt::vformat(part.format, fmt::make_format_args(*value));
        } else {
          throw InputError("ModelCheckpoint: filepath \"" + text_ + "\" names \"" + part.name +
                           "\"; the results are: epoch, " + logs.names());
        }
      } catch (const fmt::format_error& error) {
        throw InputError("ModelCheckpoint: filepath \"" + text_ + "\", field " + part.name + " with format " +
                         part.format + ": " + error.what());
      }
    }
    return path + rest_;
  }

 private:
  struct Part {
    std::string before, name, format;
  };
  std::string text_, rest_;
  std::vector<Part> parts_;
};

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
      throw InputError("ModelCheckpoint: save_freq must be \"epoch\" or a number of batches, got " +
                       frequency.dump());
    }
    if (!path_.text().ends_with(".h5") && !path_.text().ends_with(".hdf5")) {
      throw InputError("ModelCheckpoint: filepath \"" + path_.text() +
                       "\" must end in .h5: checkpoints are HDF5 files, which Keras opens by that name "
                       "(`export` makes .keras files of them)");
    }
    if (path_.text().ends_with(".weights.h5")) {
      throw InputError("ModelCheckpoint: filepath \"" + path_.text() +
                       "\": Keras has another layout for files of that name; take a name without "
                       ".weights, for a file that keras.models.load_model and model.load_weights open");
    }
    if (!config["initial_value_threshold"].is_null()) best_ = config["initial_value_threshold"].get<double>();
  }

  void check(const Control& control) const override {
    if (best_only_) monitor_.check(control);
    if (best_only_ && steps_ > 0 && monitor_.name().rfind("val_", 0) == 0) {
      throw InputError("ModelCheckpoint: save_freq=" + std::to_string(steps_) +
                       " saves inside epochs, where there is no " + monitor_.name() +
                       " yet; monitor a result of the training, or leave save_freq out");
    }
    Logs logs;
    for (const std::string& name : control.result_names()) {
      if (steps_ == 0 || name.rfind("val_", 0) != 0) logs.values.emplace_back(name, 0.0);
    }
    (void)path_.fill(1, logs);
  }

  std::vector<Output> outputs() const override {
    if (!path_.is_fixed()) return {};  // looked at when the name is known
    return {{path_.text(), "ModelCheckpoint filepath", checkpoint::is_ours}};
  }

  std::int64_t every_steps() const override { return steps_; }
  void on_steps(Control& control, std::int64_t epoch, const Logs& logs) override {
    save(control, epoch, logs);
  }
  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    if (steps_ == 0) save(control, epoch, logs);
  }

  Json state() const override { return {{"best", to_state(best_)}}; }
  void set_state(const Json& state) override { best_ = from_state(state, "best"); }

 private:
  void save(Control& control, std::int64_t epoch, const Logs& logs) {
    // In an epoch without validation (fit.validation_freq) there is nothing to compare, and no name to make.
    if (!path_.fits(logs) || (best_only_ && !monitor_.value(logs))) return;
    if (best_only_) {
      const std::optional<double> now = monitor_.value(logs);
      if (!monitor_.improves(control, *now, best_)) return;
      best_ = now;
    }
    const std::string path = path_.fill(epoch + 1, logs);
    if (verbose_ > 0) control.say(fmt::format("Epoch {}: saving model to {}", epoch + 1, path));
    control.save(path, weights_only_ ? Control::Save::kWeightsOnly : Control::Save::kCheckpoint);
  }

  Monitor monitor_;
  Pattern path_;
  std::int64_t verbose_;
  bool best_only_, weights_only_;
  std::int64_t steps_ = 0;
  std::optional<double> best_;
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

void add_terminate_on_nan(Registry<Callback>& registry) {
  registry.add({"TerminateOnNaN",
                {"terminate_on_nan"},
                {{"raise_error", Kind::kBoolean, false}},
                "Stops at the first NaN or Inf loss, exit code 3 (keras.callbacks.TerminateOnNaN)."},
               [](const Json& config) { return std::make_unique<TerminateOnNaN>(config); });
}

}  // namespace nntrain::train
