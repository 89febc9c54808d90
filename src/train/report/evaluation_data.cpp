// The evaluation for programs: JSON and CSV.

#include <fmt/format.h>

#include <cmath>

#include "train/report/evaluation_output.h"

namespace nntrain::train {

namespace {

Json or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json();
}

Json scores_json(const metrics::ClassScores& scores) {
  return {{"precision", scores.precision},
          {"recall", scores.recall},
          {"f1-score", scores.f1},
          {"support", scores.support}};
}

Json matrix_json(const std::vector<std::int64_t>& confusion, std::size_t classes) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < classes; ++i) {
    const auto row = confusion.begin() + static_cast<std::ptrdiff_t>(i * classes);
    rows.push_back(std::vector<std::int64_t>(row, row + static_cast<std::ptrdiff_t>(classes)));
  }
  return rows;
}

/// Names, confusion matrix, scores a class, accuracy.
void add_classes(Json& json, const std::vector<std::string>& names,
                 const std::vector<std::int64_t>& confusion, const metrics::ClassificationReport& report) {
  json["class_names"] = names;
  if (!confusion.empty()) json["confusion_matrix"] = matrix_json(confusion, names.size());
  Json& scores = json["report"] = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) scores[names[i]] = scores_json(report.classes[i]);
  scores["macro avg"] = scores_json(report.macro);
  scores["weighted avg"] = scores_json(report.weighted);
  json["accuracy"] = report.accuracy;
}

void add_areas(Json& json, const BinaryScores& scores) {
  json["roc_auc"] = or_null(scores.roc_auc);
  json["pr_auc"] = or_null(scores.pr_auc);
}

void add_labels(Json& json, const EvaluationReport& report) {
  const metrics::LabelReport& labels = report.label_report;
  json["class_names"] = report.names;
  Json& scores = json["report"] = Json::object();
  for (std::size_t i = 0; i < report.names.size(); ++i)
    scores[report.names[i]] = scores_json(labels.labels[i]);
  scores["micro avg"] = scores_json(labels.micro);
  scores["macro avg"] = scores_json(labels.macro);
  scores["weighted avg"] = scores_json(labels.weighted);
  scores["samples avg"] = scores_json(labels.samples);
  json["accuracy"] = labels.accuracy;
  Json& each = json["labels"] = Json::object();
  for (std::size_t i = 0; i < report.names.size(); ++i) {
    Json& label = each[report.names[i]];
    add_classes(label, {"0", "1"}, report.labels[i].confusion, report.labels[i].report);
    add_areas(label, report.labels[i]);
  }
}

Json regression_json(const metrics::RegressionScores& scores) {
  return {{"mae", scores.mae}, {"rmse", scores.rmse}, {"r2", or_null(scores.r2)}};
}

void add_regression(Json& json, const EvaluationReport& report) {
  json.update(regression_json(report.regression));
  if (report.outputs.size() < 2) return;
  Json& each = json["outputs"] = Json::object();
  for (std::size_t i = 0; i < report.outputs.size(); ++i)
    each[report.names[i]] = regression_json(report.outputs[i].scores);
}

/// The rows of the CSV.
class LongTable {
 public:
  void add(const std::string& group, const std::string& name, const std::string& quantity, double value) {
    text_ += fmt::format("{},{},{},{}\n", quoted(group), quoted(name), quoted(quantity), value);
  }
  void add(const std::string& group, const std::string& name, const metrics::ClassScores& scores) {
    add(group, name, "precision", scores.precision);
    add(group, name, "recall", scores.recall);
    add(group, name, "f1-score", scores.f1);
    add(group, name, "support", static_cast<double>(scores.support));
  }
  void add(const std::string& group, const std::string& name, const BinaryScores& scores) {
    if (scores.roc_auc) add(group, name, "roc_auc", *scores.roc_auc);
    if (scores.pr_auc) add(group, name, "pr_auc", *scores.pr_auc);
    if (scores.best_f1) {
      add(group, name, "best_f1", scores.best_f1->value);
      add(group, name, "best_f1_threshold", scores.best_f1->threshold);
    }
    if (scores.best_youden) {
      add(group, name, "best_youden", scores.best_youden->value);
      add(group, name, "best_youden_threshold", scores.best_youden->threshold);
    }
  }
  void add(const std::string& group, const std::string& name, const metrics::RegressionScores& scores) {
    add(group, name, "mae", scores.mae);
    add(group, name, "rmse", scores.rmse);
    if (scores.r2) add(group, name, "r2", *scores.r2);
  }
  std::string text() const { return text_; }

 private:
  static std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result = "\"";
    for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
    return result + "\"";
  }
  std::string text_ = "group,name,quantity,value\n";
};

void add_classes(LongTable& table, const EvaluationReport& report) {
  for (std::size_t i = 0; i < report.names.size(); ++i)
    table.add("class", report.names[i], report.classes.classes[i]);
  table.add("average", "macro avg", report.classes.macro);
  table.add("average", "weighted avg", report.classes.weighted);
  table.add("all", "", "accuracy", report.classes.accuracy);
  for (const auto& [k, share] : report.top_k) table.add("all", "", fmt::format("top_{}", k), share);
  if (report.task == EvaluationTask::kBinary) table.add("all", "", report.labels.front());
  if (report.calibration) {
    table.add("all", "", "calibration_error", report.calibration->error);
    for (std::size_t b = 0; b < report.calibration->bins.size(); ++b) {
      const metrics::CalibrationBin& bin = report.calibration->bins[b];
      if (bin.rows == 0) continue;
      const std::string name = fmt::format("{:.1f}", static_cast<double>(b + 1) / 10);
      table.add("calibration", name, "rows", static_cast<double>(bin.rows));
      table.add("calibration", name, "confidence", bin.confidence);
      table.add("calibration", name, "accuracy", bin.accuracy);
    }
  }
  for (std::size_t i = 0; i < report.confusion.size(); ++i) {
    table.add("confusion", report.names[i / report.names.size()], report.names[i % report.names.size()],
              static_cast<double>(report.confusion[i]));
  }
  for (const Mistake& mistake : report.worst) {
    const std::string row = std::to_string(mistake.row);
    table.add("mistake", row, "true", static_cast<double>(mistake.truth));
    table.add("mistake", row, "predicted", static_cast<double>(mistake.predicted));
    table.add("mistake", row, "confidence", mistake.confidence);
  }
}

void add_labels(LongTable& table, const EvaluationReport& report) {
  for (std::size_t i = 0; i < report.names.size(); ++i) {
    table.add("label", report.names[i], report.label_report.labels[i]);
    table.add("label", report.names[i], "accuracy", report.labels[i].report.accuracy);
    table.add("label", report.names[i], report.labels[i]);
  }
  table.add("average", "micro avg", report.label_report.micro);
  table.add("average", "macro avg", report.label_report.macro);
  table.add("average", "weighted avg", report.label_report.weighted);
  table.add("average", "samples avg", report.label_report.samples);
  table.add("all", "", "accuracy", report.label_report.accuracy);
}

void add_regression(LongTable& table, const EvaluationReport& report) {
  table.add("all", "", report.regression);
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    if (report.outputs.size() > 1) table.add("output", report.names[i], report.outputs[i].scores);
    for (std::size_t q = 0; q < report.outputs[i].residual_quantiles.size(); ++q) {
      table.add("output", report.names[i], fmt::format("residual_{}", kResidualQuantiles[q]),
                report.outputs[i].residual_quantiles[q]);
    }
  }
}

}  // namespace

Json evaluation_json(const EvaluationReport& report) {
  Json json = {
      {"rows", report.rows}, {"loss", or_null(report.logs.find("loss"))}, {"metrics", Json::object()}};
  for (const auto& [name, value] : report.logs.values) {
    if (name != "loss") json["metrics"][name] = or_null(value);
  }
  switch (report.task) {
    case EvaluationTask::kClasses:
    case EvaluationTask::kBinary:
      add_classes(json, report.names, report.confusion, report.classes);
      if (report.task == EvaluationTask::kBinary) add_areas(json, report.labels.front());
      break;
    case EvaluationTask::kLabels:
      add_labels(json, report);
      break;
    case EvaluationTask::kRegression:
      add_regression(json, report);
      break;
    case EvaluationTask::kNone:
      break;
  }
  return json;
}

std::string evaluation_csv(const EvaluationReport& report) {
  LongTable table;
  table.add("all", "", "rows", static_cast<double>(report.rows));
  for (const auto& [name, value] : report.logs.values)
    table.add(name == "loss" ? "all" : "metric", "", name, value);
  switch (report.task) {
    case EvaluationTask::kClasses:
    case EvaluationTask::kBinary:
      add_classes(table, report);
      break;
    case EvaluationTask::kLabels:
      add_labels(table, report);
      break;
    case EvaluationTask::kRegression:
      add_regression(table, report);
      break;
    case EvaluationTask::kNone:
      break;
  }
  return table.text();
}

}  // namespace nntrain::train
