#pragma once
// A run as plain data: everything that a report shows, taken from its checkpoint. Local; rank 0.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "train/config/configuration.h"
#include "train/inference/evaluation_report.h"
#include "train/run/epoch_times.h"

namespace nntrain::train {

struct ReportedLayer {
  std::string name, class_name;
  std::string details;  ///< activation, rate: what tells layers of a kind apart
  std::string output_shape;
  std::int64_t width = 0;  ///< values of one sample
  std::int64_t parameters = 0, trainable = 0;
};

struct ReportedData {
  std::string name, source, size, fingerprint;
};

struct ReportedSetting {
  std::string key, value, default_value;
};

/// Rows of each class among the training targets.
struct ClassBalance {
  std::vector<std::pair<std::string, std::int64_t>> rows;
  std::string where;  ///< "the 55000 rows that train", or why there is none
};

struct RunReport {
  std::string checkpoint;
  std::string model_name, input_shape;
  std::int64_t input_width = 0, parameters = 0, trainable = 0;
  std::vector<ReportedLayer> layers;
  std::int64_t rows = 0, validation_rows = 0;
  std::vector<ReportedData> data;
  ClassBalance balance;
  std::vector<ReportedSetting> settings;  ///< those that differ from their defaults
  checkpoint::History history;
  std::optional<std::size_t> best;  ///< index of the epoch with the least val_loss (else loss)
  std::string best_name;
  std::vector<double> samples_per_second;  ///< an epoch each; NaN where unknown
  double seconds = 0;                      ///< of training, all epochs
  TimeTable times;
  checkpoint::RunState state;
  std::int64_t epochs = 0;  ///< the last epoch's number that the run asked for
  std::string ended_by;     ///< what ended it before, e.g. "EarlyStopping"
  std::vector<std::pair<std::string, std::string>> environment;
  std::string digest;  ///< of the weights
  std::string configuration;
  std::vector<std::string> notes;  ///< advice
  std::optional<EvaluationReport> evaluation;
  std::string evaluation_note;  ///< why there is none
};

/// `configuration`: what the checkpoint keeps. Reads the training targets where they are at hand and small,
/// for the balance of classes. Throws InputError for a file without a model.
RunReport make_run_report(const std::string& path, const checkpoint::Contents& contents,
                          const Configuration& configuration);

/// What the curves say about the next run: of history, best and ended_by.
std::vector<std::string> curve_advice(const RunReport& report);

/// A column of the history; nullptr when there is none.
const std::vector<double>* column_of(const checkpoint::History& history, const std::string& name);

}  // namespace nntrain::train
