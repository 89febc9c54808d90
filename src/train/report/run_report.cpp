#include "train/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "core/call.h"
#include "core/error.h"
#include "train/config/settings.h"
#include "train/report/class_balance.h"
#include "train/report/progress.h"
#include "train/run/setup.h"

namespace nntrain::train {

namespace {

std::string layer_details(const Json& config) {
  std::string text;
  for (const char* argument : {"activation", "rate", "axis"}) {
    if (!config.contains(argument) || config[argument].is_null()) continue;
    const std::string value =
        config[argument].is_string() ? config[argument].get<std::string>() : format_call(config[argument]);
    if (value == "linear" || std::string(argument) == "axis") continue;
    text += (text.empty() ? "" : ", ") + (std::string(argument) == "rate" ? "rate " + value : value);
  }
  return text;
}

void add_model(const checkpoint::Contents& contents, RunReport& report) {
  const std::unique_ptr<nn::Sequential> model = build_model(model_source_of(contents), Shape{});
  report.model_name = model->name();
  report.input_shape = model->input_shape().with_batch();
  report.input_width = model->input_shape().size();
  report.parameters = model->parameter_count();
  report.trainable = model->trainable_count();
  std::unordered_map<std::string_view, std::pair<std::int64_t, std::int64_t>> counts;  // all, trainable
  for (const nn::Variable& variable : model->variables()) {
    auto& [all, trainable] = counts[variable.layer];
    all += variable.size();
    if (variable.trainable) trainable += variable.size();
  }
  for (std::size_t i = 0; i < model->layers().size(); ++i) {
    const nn::Layer& layer = *model->layers()[i];
    const Shape& shape = model->layer_output_shape(static_cast<int>(i));
    ReportedLayer reported{layer.name(), layer.spec()["class_name"].get<std::string>(),
                           layer_details(layer.spec()["config"]), shape.with_batch(), shape.size()};
    std::tie(reported.parameters, reported.trainable) = counts[layer.name()];
    report.layers.push_back(std::move(reported));
  }
}

void add_data(const checkpoint::Contents& contents, RunReport& report) {
  if (!contents.data.is_object()) return;
  report.rows = contents.data.value("rows", std::int64_t{0});
  report.validation_rows = contents.data.value("validation_rows", std::int64_t{0});
  const Json fingerprints = contents.data.value("fingerprints", Json::object());
  for (const auto& [name, entry] : fingerprints.items()) {
    ReportedData data{"data." + name, entry.value("source", ""), "",
                      entry.value("sha256", entry.value("sampled", ""))};
    if (entry.contains("rows")) data.size = with_commas(entry["rows"].get<std::int64_t>()) + " rows";
    if (entry.contains("sample"))
      data.size += " of " + Shape(entry["sample"].get<std::vector<std::int64_t>>()).to_string();
    report.data.push_back(std::move(data));
  }
}

void add_settings(const Configuration& configuration, RunReport& report) {
  for (const Key& key : keys()) {
    for (const Value& value : configuration.list(key.name)) {
      if (value.text != key.default_value)
        report.settings.push_back({key.name, value.text, key.default_value});
    }
  }
}

void add_history(const checkpoint::Contents& contents, const Configuration& configuration,
                 RunReport& report) {
  report.history = contents.history;
  for (const char* name : {"val_loss", "loss"}) {
    const std::vector<double>* values = column_of(report.history, name);
    if (values == nullptr) continue;
    for (std::size_t i = 0; i < values->size(); ++i) {
      if (!std::isnan((*values)[i]) && (!report.best || (*values)[i] < (*values)[*report.best]))
        report.best = i;
    }
    report.best_name = name;
    if (report.best) break;
  }
  const std::vector<double>* seconds = column_of(report.history, "seconds");
  if (seconds == nullptr) return;
  const FitSettings fit = read_settings(configuration).fit;
  const double rows =
      static_cast<double>(fit.steps_per_epoch > 0 ? fit.steps_per_epoch * fit.batch_size : report.rows);
  for (const double epoch : *seconds) {
    report.samples_per_second.push_back(epoch > 0 && rows > 0 ? rows / epoch : std::nan(""));
    if (std::isfinite(epoch)) report.seconds += epoch;
  }
}

void add_environment(const checkpoint::Contents& contents, RunReport& report) {
  report.state = contents.state;
  report.digest = checkpoint::weights_digest(contents.weights);
  report.configuration = contents.config;
  if (!contents.environment.is_object()) return;
  report.epochs = contents.environment.value("epochs", std::int64_t{0});
  report.ended_by = contents.environment.value("ended_by", "");
  report.times = TimeTable::from_json(contents.environment.value("times", Json()), contents.state.epoch);
  for (const auto& [name, value] : contents.environment.items()) {
    if (!value.is_string() && !value.is_number()) continue;
    if (name == "epochs" || name == "ended_by" || name == "batch_size") continue;
    report.environment.emplace_back(name, value.is_string() ? value.get<std::string>() : format_call(value));
  }
}

/// Means of the last fifth of what is finite, and of as many values before it: one epoch alone says little.
struct Trend {
  double before = 0, last = 0;
  double fall() const { return before > 0 ? 1 - last / before : 0; }
};

std::optional<Trend> trend(const std::vector<double>* values) {
  if (values == nullptr) return std::nullopt;
  std::vector<double> finite;
  std::copy_if(values->begin(), values->end(), std::back_inserter(finite),
               [](double value) { return std::isfinite(value); });
  const auto part = std::max<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(finite.size()) / 5);
  if (static_cast<std::ptrdiff_t>(finite.size()) < 2 * part) return std::nullopt;
  const auto mean = [&](auto end) {
    return std::accumulate(end - part, end, 0.0) / static_cast<double>(part);
  };
  return Trend{mean(finite.end() - part), mean(finite.end())};
}

}  // namespace

const std::vector<double>* column_of(const checkpoint::History& history, const std::string& name) {
  for (const auto& [column, values] : history.columns) {
    if (column == name) return &values;
  }
  return nullptr;
}

std::vector<std::string> curve_advice(const RunReport& report) {
  constexpr double kFalls = 0.01, kLearnsByHeart = 0.05;
  const std::vector<double>* validation = column_of(report.history, "val_loss");
  const std::vector<double>* loss = column_of(report.history, "loss");
  std::vector<std::string> notes;
  if (loss != nullptr &&
      std::any_of(loss->begin(), loss->end(), [](double value) { return std::isnan(value); }))
    notes.emplace_back("The loss was NaN in some epoch: lower the learning rate, or scale the inputs.");
  if (validation == nullptr || !report.best || validation->size() < 5) return notes;
  const double best = (*validation)[*report.best], last = validation->back();
  const std::size_t after = validation->size() - 1 - *report.best;
  const std::optional<Trend> judged = trend(validation), trained = trend(loss);
  if (after >= validation->size() / 5 && after >= 2 && last > 1.05 * best && best > 0) {
    notes.push_back(
        fmt::format("The validation loss was best after {} epochs and {:.0f} % higher at the end: the model "
                    "learns by heart. "
                    "EarlyStopping(restore_best_weights=True), Dropout, a regularizer or more data help.",
                    *report.best + 1, 100 * (last / best - 1)));
  } else if (!judged || !report.ended_by.empty()) {
    return notes;
  } else if (judged->fall() > kFalls) {
    notes.emplace_back("The validation loss was still falling at the end: more epochs may help.");
  } else if (judged->before > 0 && trained && trained->fall() > kLearnsByHeart) {
    notes.push_back(fmt::format(
        "In the last epochs the loss fell by {:.0f} % and the validation loss did not: the model begins to "
        "learn by heart. Dropout, a regularizer or more data help more than further epochs.",
        100 * trained->fall()));
  }
  return notes;
}

RunReport make_run_report(const std::string& path, const checkpoint::Contents& contents,
                          const Configuration& configuration) {
  RunReport report;
  report.checkpoint = path;
  add_model(contents, report);
  add_data(contents, report);
  add_settings(configuration, report);
  add_history(contents, configuration, report);
  add_environment(contents, report);
  report.notes = curve_advice(report);
  if (contents.ours) report.balance = class_balance(contents, configuration, report.rows);
  return report;
}

}  // namespace nntrain::train
