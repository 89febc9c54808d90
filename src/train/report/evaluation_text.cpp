#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "train/report/evaluation_output.h"
#include "train/report/progress.h"

namespace nntrain::train {

namespace {

constexpr std::size_t kMatrixClasses = 20;  // more do not fit a terminal
constexpr std::size_t kListedOutputs = 20;
constexpr std::size_t kMatrixWidth = 100, kCutName = 8;

/// Code points, which is what Python pads by.
std::size_t length_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string right_aligned(const std::string& text, std::size_t width) {
  const std::size_t length = length_of(text);
  return std::string(width > length ? width - length : 0, ' ') + text;
}

/// At most `most` code points.
std::string shortened(const std::string& text, std::size_t most) {
  if (length_of(text) <= most) return text;
  std::size_t end = 0, points = 0;
  while (end < text.size() && points < most) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    ++points;
  }
  return text.substr(0, end);
}

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, length_of(name));
  return width;
}

std::string scores_line(const std::string& name, std::size_t width, const metrics::ClassScores& scores) {
  return fmt::format("{}  {:>9.2f} {:>9.2f} {:>9.2f} {:>9}\n", right_aligned(name, width), scores.precision,
                     scores.recall, scores.f1, scores.support);
}

std::string confusion_text(const EvaluationReport& report) {
  const std::size_t classes = report.names.size();
  if (report.confusion.empty()) return "";
  if (classes > kMatrixClasses) {
    // The pairs that are mixed up most.
    std::vector<std::pair<std::int64_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < report.confusion.size(); ++i) {
      if (i / classes != i % classes && report.confusion[i] > 0) pairs.emplace_back(report.confusion[i], i);
    }
    std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::string text = "Most often mistaken (true -> predicted)\n";
    for (std::size_t i = 0; i < std::min<std::size_t>(10, pairs.size()); ++i) {
      text += fmt::format("{:>9}  {} -> {}\n", pairs[i].first, report.names[pairs[i].second / classes],
                          report.names[pairs[i].second % classes]);
    }
    return pairs.empty() ? "" : text + "\n";
  }
  const std::int64_t largest = *std::max_element(report.confusion.begin(), report.confusion.end());
  const std::size_t first = std::max<std::size_t>(longest(report.names), 4);
  const bool whole_names = first + classes * (longest(report.names) + 2) <= kMatrixWidth;
  const std::size_t cell =
      std::max(std::to_string(largest).size(),
               whole_names ? longest(report.names) : std::min(kCutName, longest(report.names)));
  std::string text = "Confusion matrix (rows: true, columns: predicted)\n" + std::string(first, ' ');
  for (const std::string& name : report.names) text += "  " + right_aligned(shortened(name, cell), cell);
  text += "\n";
  for (std::size_t truth = 0; truth < classes; ++truth) {
    text += right_aligned(report.names[truth], first);
    for (std::size_t predicted = 0; predicted < classes; ++predicted)
      text += fmt::format("  {:>{}}", report.confusion[truth * classes + predicted], cell);
    text += "\n";
  }
  return text + "\n";
}

std::string threshold_text(const metrics::BestThreshold& best) {
  return fmt::format("{}", static_cast<float>(best.threshold));  // every digit: rows at it count as positive
}

std::string areas_text(const BinaryScores& scores) {
  std::string text;
  if (scores.roc_auc) text += fmt::format("ROC area {:.4f}", *scores.roc_auc);
  if (scores.pr_auc) {
    text += fmt::format("{}PR area {:.4f} (average precision)", text.empty() ? "" : ", ", *scores.pr_auc);
  }
  if (!text.empty()) text += "\n";
  if (scores.best_f1) {
    text += fmt::format("Best threshold by F1: >= {} (F1 {:.4f})", threshold_text(*scores.best_f1),
                        scores.best_f1->value);
    if (scores.best_youden) {
      text += fmt::format("; by Youden: >= {} (J {:.4f})", threshold_text(*scores.best_youden),
                          scores.best_youden->value);
    }
    text += "\n";
  }
  return text;
}

std::string mistakes_text(const EvaluationReport& report) {
  if (report.worst.empty()) return "";
  std::string text = "Worst mistakes (rows count from 0)\n";
  const std::size_t width = longest(report.names);
  for (const Mistake& mistake : report.worst) {
    text += fmt::format("{:>9}  true {}  predicted {}  with {}\n", mistake.row,
                        right_aligned(report.names[static_cast<std::size_t>(mistake.truth)], width),
                        right_aligned(report.names[static_cast<std::size_t>(mistake.predicted)], width),
                        format_value(mistake.confidence));
  }
  return text;
}

std::string classes_text(const EvaluationReport& report) {
  std::string text = classification_table(report) + "\n" + confusion_text(report);
  if (report.task == EvaluationTask::kBinary) text += areas_text(report.labels.front());
  std::string top;
  for (const auto& [k, share] : report.top_k)
    top += fmt::format("{}top-{} {:.4f}", top.empty() ? "" : ", ", k, share);
  if (!top.empty()) text += "Right class among the largest outputs: " + top + "\n";
  if (report.calibration) {
    text +=
        fmt::format("Expected calibration error {:.4f} (10 bins): confidence against share that is right\n",
                    report.calibration->error);
  }
  const std::string mistakes = mistakes_text(report);
  return text + (mistakes.empty() ? "" : "\n" + mistakes);
}

std::string labels_text(const EvaluationReport& report) {
  std::string text = classification_table(report) + "\n";
  text += fmt::format("All labels right: {:.4f} of the rows\n\n", report.label_report.accuracy);
  const std::size_t width = std::max<std::size_t>(longest(report.names), 5);
  const auto cell = [](const auto& value) {
    return value ? fmt::format("{:>9.4f}", *value) : std::string(8, ' ') + "-";
  };
  const auto threshold = [](const auto& best) {
    return best ? fmt::format("{:>9.4g}", best->threshold) : std::string(8, ' ') + "-";
  };
  text += fmt::format("{}  {:>9} {:>9} {:>9} {:>9} {:>9}\n", std::string(width, ' '), "accuracy", "ROC area",
                      "PR area", "F1 at >=", "J at >=");
  for (std::size_t i = 0; i < report.labels.size(); ++i) {
    const BinaryScores& label = report.labels[i];
    text += fmt::format("{}  {:>9.4f} {} {} {} {}\n", right_aligned(report.names[i], width),
                        label.report.accuracy, cell(label.roc_auc), cell(label.pr_auc),
                        threshold(label.best_f1), threshold(label.best_youden));
  }
  return text;
}

std::string number(double value) { return fmt::format("{:>12.6g}", value); }

std::string regression_line(const std::string& name, std::size_t width,
                            const metrics::RegressionScores& scores) {
  return right_aligned(name, width) + " " + number(scores.mae) + " " + number(scores.rmse) + " " +
         (scores.r2 ? number(*scores.r2) : right_aligned("-", 12)) + "\n";
}

std::string regression_text(const EvaluationReport& report) {
  const std::size_t listed = report.outputs.size() <= kListedOutputs ? report.outputs.size() : 0;
  const std::size_t width = std::max<std::size_t>(longest(report.names), 4);
  std::string text = fmt::format("{} {:>12} {:>12} {:>12}\n", std::string(width, ' '), "MAE", "RMSE", "R2");
  for (std::size_t i = 0; i < listed; ++i)
    text += regression_line(report.names[i], width, report.outputs[i].scores);
  if (report.outputs.size() > 1) text += regression_line("mean", width, report.regression);
  if (listed == 0) return text;
  text += fmt::format("\nResiduals (true - predicted)\n{} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}\n",
                      std::string(width, ' '), "least", "5 %", "25 %", "median", "75 %", "95 %", "largest");
  for (std::size_t i = 0; i < listed; ++i) {
    text += right_aligned(report.names[i], width);
    for (const double quantile : report.outputs[i].residual_quantiles) text += " " + number(quantile);
    text += "\n";
  }
  text += "\nLargest residuals (rows count from 0)\n";
  for (std::size_t i = 0; i < listed; ++i) {
    for (const WorstResidual& worst : report.outputs[i].worst) {
      text +=
          fmt::format("{:>9}  {}true {:.6g}  predicted {:.6g}\n", worst.row,
                      report.outputs.size() > 1 ? report.names[i] + "  " : "", worst.truth, worst.predicted);
    }
  }
  return text;
}

}  // namespace

std::string classification_table(const EvaluationReport& report) {
  const bool labels = report.task == EvaluationTask::kLabels;
  const std::size_t width = std::max<std::size_t>(longest(report.names), 12);
  std::string text = fmt::format("{}  {:>9} {:>9} {:>9} {:>9}\n\n", std::string(width, ' '), "precision",
                                 "recall", "f1-score", "support");
  const auto& scores = labels ? report.label_report.labels : report.classes.classes;
  for (std::size_t i = 0; i < scores.size(); ++i) text += scores_line(report.names[i], width, scores[i]);
  text += "\n";
  if (labels) {
    text += scores_line("micro avg", width, report.label_report.micro);
    text += scores_line("macro avg", width, report.label_report.macro);
    text += scores_line("weighted avg", width, report.label_report.weighted);
    return text + scores_line("samples avg", width, report.label_report.samples);
  }
  text += fmt::format("{}  {:>9} {:>9} {:>9.2f} {:>9}\n", right_aligned("accuracy", width), "", "",
                      report.classes.accuracy, report.classes.rows);
  text += scores_line("macro avg", width, report.classes.macro);
  return text + scores_line("weighted avg", width, report.classes.weighted);
}

std::string evaluation_text(const EvaluationReport& report) {
  std::string text;
  if (!report.taken_as.empty()) text += "Outputs taken as " + report.taken_as + "\n\n";
  switch (report.task) {
    case EvaluationTask::kClasses:
    case EvaluationTask::kBinary:
      return text + classes_text(report);
    case EvaluationTask::kLabels:
      return text + labels_text(report);
    case EvaluationTask::kRegression:
      return text + regression_text(report);
    case EvaluationTask::kNone:
      break;
  }
  return text;
}

}  // namespace nntrain::train
