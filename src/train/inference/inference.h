#pragma once
// evaluate and predict from a checkpoint or a Keras file, with any number of ranks.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "core/log.h"
#include "train/config/settings.h"
#include "train/data/dataset.h"
#include "train/inference/evaluation_report.h"
#include "train/inference/evaluation_rows.h"
#include "train/run/setup.h"
#include "train/step/replica.h"

namespace nntrain::train {

/// Results and speed of an evaluation.
struct Evaluation {
  Logs logs;
  std::int64_t rows = 0;
  double seconds = 0;
  EvaluationReport report;  ///< on rank 0; empty elsewhere
};

/// Outputs of all rows, on rank 0; empty elsewhere.
struct Predictions {
  std::int64_t rows = 0;
  Shape output_shape;
  std::vector<float> values;  ///< (rows, output_shape.size())
  Decision decision = Decision::kNone;
  std::vector<std::string> class_names;
  std::vector<std::string> target_names;  ///< of the training's target columns; may be empty
  std::vector<data::TextColumn> ids;      ///< of these rows
  double seconds = 0;
};

struct PredictionNames;

class Inference {
 public:
  enum class Task {
    kEvaluate,
    kPredict,
    kPredictStream,  ///< no data are loaded: rows come by and by
  };

  /// `configuration`: what the checkpoint holds, overridden by the command line. Inputs are data.inputs when
  /// the command line gives it, else data.test_inputs. Collective; throws InputError on all ranks alike.
  Inference(comm::Session& session, Log& log, checkpoint::Contents contents,
            const Configuration& configuration, Task task, const data::MemoryArrays* memory = nullptr);

  /// What a user should know of how the data were read, without "NOTE: ".
  const std::vector<std::string>& notes() const { return notes_; }

  Evaluation evaluate();  ///< collective
  Predictions predict();  ///< collective
  /// All of predict() but the values.
  Predictions prediction_head() const;
  /// The rows of predict(), block by block, each given to `sink` on all ranks: on rank 0 with its values and
  /// ids, elsewhere without. Returns the seconds that it took without the sink. Collective.
  using PredictionSink = std::function<void(const Predictions& block)>;
  double predict(const PredictionSink& sink, std::int64_t first_row = 0);
  /// Outputs of rows from `first_row` on as such a block.
  Predictions prediction_block(std::int64_t first_row, std::span<const float> values) const;
  /// Do the rows come in more than one block?
  bool predicts_in_blocks() const { return data_.train.rows() > batch_rows_; }
  /// SHA-256 of what the predictions are made of: the model's file, the inputs and how they are read; for
  /// going on after a kill. On rank 0; looks at sizes and times of the inputs' files, too.
  std::string prediction_identity(const std::string& model_file, const std::string& program) const;
  /// Of rank 0's `rows`, (n, inputs); n may be 0. Collective.
  Predictions predict_rows(std::span<const float> rows);
  /// How rows are to be read that become inputs of predict_rows().
  data::SourceOptions stream_options() const;
  const Shape& input_shape() const { return model_->input_shape(); }

 private:
  Predictions empty_predictions(std::int64_t rows) const;
  void predict(const Samples& samples, std::int64_t first_row,
               const std::function<void(std::span<const float>)>& take);
  void load(Task task, const ModelSource& source, CompileSettings& compile);
  DataSettings choose_data(const Configuration& configuration, Task task) const;
  CompileSettings compile_settings(const Configuration& configuration, Task task) const;
  /// Weights of rows as in the training, where the inputs have the column; says so, or that there are none.
  /// For `sets` whose inputs are loaded; every rank alike.
  void choose_weights(const DataSets& sets);
  void build(const ModelSource& source, const Shape& sample, Task task, CompileSettings& compile);
  void make_engine(const ModelSource& source, Task task);
  OutputReading output_reading() const;

  comm::Session& session_;
  Log& log_;
  checkpoint::Contents contents_;
  Settings settings_;
  DataSettings data_settings_;
  FitSettings fit_settings_;
  ActivityTimes times_;
  DataSets data_;
  std::unique_ptr<nn::Sequential> model_;
  Compiled compiled_;
  std::unique_ptr<nn::GlobalSum> sums_;
  comm::SharedArray values_;
  ShardRange local_;
  std::int64_t batch_rows_ = 0;
  std::int64_t rows_given_ = 0;  ///< to predict_rows()
  std::unique_ptr<Replica> replica_;
  std::vector<std::string> notes_;
  bool columns_as_trained_ = false;  ///< data.columns is the training's, not the command line's
};

/// What the loss makes of a single output or a row of outputs.
Decision decision_of(const nn::Loss* loss, const Shape& output);
/// The class of one row of `classes` outputs; -1 for kNone.
std::int64_t decide(Decision decision, const float* outputs, std::int64_t classes);

/// A device or a pipe (/dev/stdout) is written to without a rename, as CSV unless it ends in .npy.
/// Throws InputError unless `path` ends in .h5, .csv or .npy, or is such a stream.
void check_prediction_path(const std::string& path);
/// Rank 0, before anything is computed. Throws InputError when `path` is the model, the configuration's data
/// or a file that is no prediction of this program, or when it cannot be written to.
void check_prediction_output(const std::string& path, const std::string& model_file, const DataSettings& data,
                             const PredictionNames& names);

}  // namespace nntrain::train
