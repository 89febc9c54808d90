#include <fmt/format.h>

#include <algorithm>

#include "train/report/html/chart.h"
#include "train/report/html/markup.h"
#include "train/report/html/pages.h"
#include "train/report/progress.h"

namespace nntrain::train::html {

namespace {

constexpr std::size_t kMatrixClasses = 40;
constexpr std::size_t kDrawnOutputs = 12;

std::string note(const std::string& text) { return element("p", escaped(text), "class=\"note\"") + "\n"; }

std::string tile(const std::string& name, const std::string& value) {
  return element("div", element("b", escaped(value)) + escaped(name), "class=\"tile\"") + "\n";
}

std::string tiles(const EvaluationReport& report) {
  std::string content = tile("rows", with_commas(report.rows));
  for (const auto& [name, value] : report.logs.values) content += tile(name, format_value(value));
  if (report.task == EvaluationTask::kRegression) {
    content += tile("MAE", fmt::format("{:.6g}", report.regression.mae));
    content += tile("RMSE", fmt::format("{:.6g}", report.regression.rmse));
    if (report.regression.r2) content += tile("R2", fmt::format("{:.4f}", *report.regression.r2));
  }
  return element("div", content, "class=\"tiles\"") + "\n";
}

std::vector<std::string> scores_row(const std::string& name, const metrics::ClassScores& scores) {
  return {name, fmt::format("{:.4f}", scores.precision), fmt::format("{:.4f}", scores.recall),
          fmt::format("{:.4f}", scores.f1), fmt::format("{}", scores.support)};
}

std::string scores_table(const EvaluationReport& report) {
  const bool labels = report.task == EvaluationTask::kLabels;
  const auto& scores = labels ? report.label_report.labels : report.classes.classes;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < scores.size(); ++i) rows.push_back(scores_row(report.names[i], scores[i]));
  if (labels) rows.push_back(scores_row("micro avg", report.label_report.micro));
  rows.push_back(scores_row("macro avg", labels ? report.label_report.macro : report.classes.macro));
  rows.push_back(scores_row("weighted avg", labels ? report.label_report.weighted : report.classes.weighted));
  return element("h3", labels ? "Labels" : "Classes") +
         table({"", ">precision", ">recall", ">f1-score", ">support"}, rows);
}

/// Rows are true classes; a cell's colour is its share of its row.
std::string matrix(const EvaluationReport& report) {
  const std::size_t classes = report.names.size();
  if (report.confusion.empty() || classes > kMatrixClasses) return "";
  std::string head = element("th", "true \\ predicted");
  for (const std::string& name : report.names) head += element("th", escaped(name), "class=\"n\"");
  std::string rows;
  for (std::size_t truth = 0; truth < classes; ++truth) {
    const double support =
        static_cast<double>(std::max<std::int64_t>(1, report.classes.classes[truth].support));
    std::string cells = element("th", escaped(report.names[truth]));
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      const std::int64_t count = report.confusion[truth * classes + predicted];
      cells += element(
          "td", std::to_string(count),
          fmt::format("class=\"heat\" style=\"--share:{:.3f}\"", static_cast<double>(count) / support));
    }
    rows += element("tr", cells) + "\n";
  }
  return element("h3", "Confusion matrix") +
         element("div", element("table", element("thead", element("tr", head)) + element("tbody", rows)),
                 "class=\"wide\"") +
         "\n";
}

Chart roc_chart(const BinaryScores& scores, const std::string& name) {
  Chart chart;
  chart.title = fmt::format("ROC {}area {:.4f}", name, scores.roc_auc.value_or(0));
  chart.x_label = "false positive rate";
  chart.x_range = chart.y_range = {0.0, 1.0};
  Series curve{"true positive rate", 0, false, false, {{0.0, 0.0}}}, chance{"chance", 1, true, false, {}};
  for (const metrics::CurvePoint& point : scores.curve) {
    curve.points.emplace_back(
        static_cast<double>(point.false_positives) / static_cast<double>(scores.negatives),
        static_cast<double>(point.true_positives) / static_cast<double>(scores.positives));
  }
  chance.points = {{0.0, 0.0}, {1.0, 1.0}};
  chart.series = {curve, chance};
  return chart;
}

Chart precision_chart(const BinaryScores& scores, const std::string& name) {
  Chart chart;
  chart.title = fmt::format("Precision-recall {}area {:.4f}", name, scores.pr_auc.value_or(0));
  chart.x_label = "recall";
  chart.x_range = chart.y_range = {0.0, 1.0};
  Series curve{"precision", 0, false, false, {{0.0, 1.0}}};
  for (const metrics::CurvePoint& point : scores.curve) {
    curve.points.emplace_back(
        static_cast<double>(point.true_positives) / static_cast<double>(scores.positives),
        static_cast<double>(point.true_positives) /
            static_cast<double>(point.true_positives + point.false_positives));
  }
  chart.series = {curve};
  return chart;
}

std::string curves(const EvaluationReport& report) {
  std::string charts;
  for (std::size_t i = 0; i < std::min(kDrawnOutputs, report.labels.size()); ++i) {
    const BinaryScores& scores = report.labels[i];
    const std::string name = report.task == EvaluationTask::kLabels ? report.names[i] + ", " : "";
    if (scores.roc_auc) charts += chart(roc_chart(scores, name));
    if (scores.pr_auc) charts += chart(precision_chart(scores, name));
  }
  return charts;
}

std::string thresholds(const EvaluationReport& report) {
  std::vector<std::vector<std::string>> rows;
  const auto text = [](const auto& best) {
    return best ? fmt::format("{} ({:.4f})", static_cast<float>(best->threshold), best->value)
                : std::string("-");
  };
  for (std::size_t i = 0; i < report.labels.size(); ++i) {
    const std::string name = report.task == EvaluationTask::kLabels ? report.names[i] : report.names.back();
    rows.push_back({name, text(report.labels[i].best_f1), text(report.labels[i].best_youden)});
  }
  if (rows.empty()) return "";
  return element("h3", "Best thresholds (a row counts from this output on)") +
         table({"", ">by F1 (F1)", ">by Youden (J)"}, rows);
}

std::string calibration_chart(const EvaluationReport& report) {
  if (!report.calibration) return "";
  Chart drawing;
  drawing.title = fmt::format("Calibration, expected error {:.4f}", report.calibration->error);
  drawing.x_label = "confidence in the prediction";
  drawing.x_range = drawing.y_range = {0.0, 1.0};
  Series bins{"share that is right", 0, false, false, {}},
      exact{"exact", 1, true, false, {{0.0, 0.0}, {1.0, 1.0}}};
  for (const metrics::CalibrationBin& bin : report.calibration->bins) {
    if (bin.rows > 0) bins.points.emplace_back(bin.confidence, bin.accuracy);
  }
  drawing.series = {bins, exact};
  return chart(drawing);
}

std::string mistakes(const EvaluationReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Mistake& mistake : report.worst) {
    rows.push_back({std::to_string(mistake.row), report.names[static_cast<std::size_t>(mistake.truth)],
                    report.names[static_cast<std::size_t>(mistake.predicted)],
                    format_value(mistake.confidence)});
  }
  if (rows.empty()) return "";
  return element("h3", "Worst mistakes (rows count from 0)") +
         table({">row", "true", "predicted", ">with"}, rows);
}

std::string regression(const EvaluationReport& report) {
  std::vector<std::vector<std::string>> scores, quantiles, worst;
  std::string charts;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    const OutputScores& output = report.outputs[i];
    scores.push_back({report.names[i], fmt::format("{:.6g}", output.scores.mae),
                      fmt::format("{:.6g}", output.scores.rmse),
                      output.scores.r2 ? fmt::format("{:.4f}", *output.scores.r2) : "-"});
    if (i >= kDrawnOutputs) continue;
    quantiles.push_back({report.names[i]});
    for (const double quantile : output.residual_quantiles)
      quantiles.back().push_back(fmt::format("{:.6g}", quantile));
    for (const WorstResidual& one : output.worst) {
      worst.push_back({std::to_string(one.row), report.names[i], fmt::format("{:.6g}", one.truth),
                       fmt::format("{:.6g}", one.predicted)});
    }
    Chart drawing;
    drawing.title = report.names[i] + ": predicted against true";
    drawing.x_label = "true";
    Series points{"rows", 0, false, true, {}}, exact{"exact", 1, true, false, {}};
    for (const auto& [truth, predicted] : output.points)
      points.points.emplace_back(static_cast<double>(truth), static_cast<double>(predicted));
    const auto [least, most] = std::minmax_element(points.points.begin(), points.points.end());
    exact.points = {{least->first, least->first}, {most->first, most->first}};
    drawing.series = {points, exact};
    charts += chart(drawing);
  }
  std::string text = report.outputs.size() > 1 ? table({"output", ">MAE", ">RMSE", ">R2"}, scores) : "";
  text += element("div", charts, "class=\"charts\"") + "\n";
  text += element("h3", "Residuals (true - predicted)") +
          table({"", ">least", ">5 %", ">25 %", ">median", ">75 %", ">95 %", ">largest"}, quantiles);
  return text + element("h3", "Largest residuals (rows count from 0)") +
         table({">row", "output", ">true", ">predicted"}, worst);
}

}  // namespace

std::string evaluation_body(const EvaluationReport& report) {
  std::string body = tiles(report);
  for (const std::string& text : report.notes) body += note(text);
  if (!report.taken_as.empty()) body += element("p", escaped("Outputs taken as " + report.taken_as)) + "\n";
  if (report.task == EvaluationTask::kNone) return body;
  if (report.task == EvaluationTask::kRegression) return body + regression(report);
  body += scores_table(report) + matrix(report);
  const std::string charts = curves(report) + calibration_chart(report);
  if (!charts.empty()) body += element("h3", "Curves") + element("div", charts, "class=\"charts\"") + "\n";
  return body + thresholds(report) + mistakes(report);
}

std::string evaluation_page(const std::string& checkpoint, const EvaluationReport& report) {
  return page("Evaluation of " + checkpoint, "by nntrain-dist evaluate",
              element("section", evaluation_body(report)) + "\n");
}

}  // namespace nntrain::train::html
