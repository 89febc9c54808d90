// CSVLogger (keras/src/callbacks/csv_logger.py).

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "checkpoint/history_table.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"
#include "io/stream_file.h"
#include "train/callbacks/callbacks.h"

namespace nntrain::train {

namespace {

/// As Python prints a float: 1.0, 0.25, 1e-05.
std::string python_float(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

class CsvLogger : public Callback {
 public:
  explicit CsvLogger(const Json& config)
      : path_(config["filename"].get<std::string>()),
        separator_(config["separator"].get<std::string>()),
        append_(config["append"].get<bool>()) {
    if (separator_.empty()) throw InputError("CSVLogger: separator is empty");
  }

  /// Names are written as they are: one that holds the separator would be two columns.
  void check(const Control& control) const override {
    for (const std::string& name : control.result_names()) {
      if (name.find(separator_) == std::string::npos) continue;
      throw InputError("CSVLogger: separator = \"" + separator_ + "\" is part of the name of the result \"" +
                       name + "\"; give another separator, or the metric another name");
    }
  }

  /// A fresh run starts a fresh file, or goes on in an old one (append). A resumed run cuts the rows after
  /// its checkpoint, which a killed run left behind.
  void on_train_begin(Control& control, std::int64_t epoch) override {
    control.write_on_root("CSVLogger", [&] { begin(control, epoch); });
  }

  void on_epoch_end(Control& control, std::int64_t epoch, Logs& logs) override {
    control.write_on_root("CSVLogger", [&] { append(epoch, logs); });
  }

  /// A user's table of that name must not be taken for a log.
  std::vector<Output> outputs() const override {
    return {
        {path_, "CSVLogger filename", [separator = separator_, append = append_](const std::string& path) {
           std::string start = io::first_bytes(path, 1 << 16);
           if (append) std::erase(start, '\r');  // one that Keras wrote is gone on with, and loses nothing
           return checkpoint::is_history_table(
               start, separator, "loss",
               append ? checkpoint::LongNumbers::kNotLookedAt : checkpoint::LongNumbers::kExpected);
         }}};
  }
  Json state() const override { return {{"rows", rows_}}; }
  void set_state(const Json& state) override { rows_of_checkpoint_ = state.value("rows", std::int64_t{-1}); }

 private:
  void begin(Control& control, std::int64_t epoch) {
    std::string kept;
    std::int64_t rows = 0;
    if (control.resumed() || append_) {
      std::ifstream old(path_);
      for (std::string line; std::getline(old, line);) {
        if (columns_.empty()) {
          columns_ = split(line);
        } else if (control.resumed() && !belongs(line, rows, epoch)) {
          continue;
        } else {
          ++rows;
        }
        kept += line + "\n";
      }
    }
    rows_ = rows;
    io::AtomicFile file(path_);
    file.append(kept);
    file.commit();
  }

  void append(std::int64_t epoch, const Logs& logs) {
    std::string text;
    if (columns_.empty()) {
      columns_ = columns_of(logs);
      for (const std::string& column : columns_) text += (text.empty() ? "" : separator_) + column;
      text += "\n";
    }
    text += std::to_string(epoch);
    for (std::size_t i = 1; i < columns_.size(); ++i) {
      const auto value = logs.find(columns_[i]);
      text += separator_ + (value ? python_float(*value) : "NA");
    }
    io::append_to_file(path_, text + "\n");
    ++rows_;
  }

  /// Was this row there when the checkpoint was written? Its state knows how many there were; a logger that
  /// is new to the run goes by the epochs.
  bool belongs(const std::string& line, std::int64_t rows_before, std::int64_t epoch) const {
    if (rows_of_checkpoint_ >= 0) return rows_before < rows_of_checkpoint_;
    return std::strtoll(line.c_str(), nullptr, 10) < epoch;
  }

  /// Sorted; without a result of the validation among them, Keras foresees one for each (an epoch may lack
  /// it).
  static std::vector<std::string> columns_of(const Logs& logs) {
    std::vector<std::string> names;
    for (const auto& [name, value] : logs.values) names.push_back(name);
    std::sort(names.begin(), names.end());
    const bool validated = std::any_of(names.begin(), names.end(),
                                       [](const std::string& name) { return name.rfind("val_", 0) == 0; });
    const std::size_t own = names.size();
    for (std::size_t i = 0; !validated && i < own; ++i) names.push_back("val_" + names[i]);
    names.insert(names.begin(), "epoch");
    return names;
  }

  std::vector<std::string> split(const std::string& line) const {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= line.size()) {
      const std::size_t end = std::min(line.find(separator_, start), line.size());
      parts.push_back(line.substr(start, end - start));
      start = end + separator_.size();
    }
    if (!parts.back().empty() && parts.back().back() == '\r') parts.back().pop_back();  // written by Keras
    return parts;
  }

  std::string path_, separator_;
  bool append_;
  std::vector<std::string> columns_;
  std::int64_t rows_ = 0, rows_of_checkpoint_ = -1;
};

}  // namespace

void add_csv_logger(Registry<Callback>& registry) {
  registry.add(
      {"CSVLogger",
       {"csv_logger"},
       {{"filename", Kind::kText, nullptr, true},
        {"separator", Kind::kText, ","},
        {"append", Kind::kBoolean, false}},
       "A row of results for every epoch (keras.callbacks.CSVLogger); a resumed run cuts the rows after its "
       "checkpoint and goes on."},
      [](const Json& config) { return std::make_unique<CsvLogger>(config); });
}

}  // namespace nntrain::train
