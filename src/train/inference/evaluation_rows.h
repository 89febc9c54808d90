#pragma once
// Every row's outcome, gathered on rank 0 in the order of rows, and the report made of them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "comm/session/session.h"
#include "core/shape.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"
#include "train/inference/evaluation_report.h"

namespace nntrain::train {

/// How an output row becomes a class.
enum class Decision {
  kNone,         ///< regression, multilabel: no single class
  kArgMax,       ///< the largest output
  kProbability,  ///< one output, class 1 above 0.5
  kSign,         ///< one output, class 1 above 0 (perceptron, hinge, logits)
};

/// How outputs and targets of an evaluation are to be read.
struct OutputReading {
  Decision decision = Decision::kNone;
  bool labels = false;         ///< several binary outputs
  bool logits = false;         ///< outputs are logits: softmax or sigmoid makes them probabilities
  bool probabilities = false;  ///< outputs are probabilities
  bool softmax = false;        ///< the model ends in softmax
  bool sigmoid = false;        ///< the model ends in sigmoid
  std::optional<std::int64_t> ignored_class;
  Shape output;                           ///< of one row
  std::vector<std::string> class_names;   ///< as the user gave them; may be fewer than the classes
  std::vector<std::string> column_names;  ///< of the targets' columns, where the file names them
  std::int64_t first_row = 0;             ///< of the evaluated rows in their source
};

/// From loss and model alone; names and first row are the caller's to fill.
OutputReading reading_of(const nn::Loss& loss, const nn::Sequential& model);

/// What a row (or position) of a classification came to, decided by the rank that has its outputs.
struct ClassOutcome {
  std::int32_t truth = 0, predicted = 0;
  std::int32_t better = 0;  ///< outputs larger than the true class'
  float confidence = 0;     ///< of the predicted class
};

class EvaluationRows {
 public:
  explicit EvaluationRows(OutputReading reading) : reading_(std::move(reading)) {}
  /// The rows of the next mini-batch: each rank its own, in rank order. Collective.
  void add(comm::Session& session, std::span<const float> outputs, std::span<const float> targets);
  /// The report, without rows and logs. Rank 0; call once.
  EvaluationReport report();

 private:
  void add_outcomes(std::span<const float> outputs, std::span<const float> targets,
                    std::vector<ClassOutcome>& outcomes) const;
  void report_classes(EvaluationReport& report) const;
  void report_binary(EvaluationReport& report) const;
  void report_labels(EvaluationReport& report) const;
  void report_regression(EvaluationReport& report) const;
  bool holds_only_classes(EvaluationReport& report) const;
  bool targets_are_one_hot() const;
  std::int64_t row_of(std::size_t position) const;
  std::int64_t classes() const { return reading_.output.last(); }

  OutputReading reading_;
  std::vector<ClassOutcome> outcomes_;    ///< kArgMax
  std::vector<float> outputs_, targets_;  ///< all others
};

}  // namespace nntrain::train
