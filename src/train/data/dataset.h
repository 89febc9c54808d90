#pragma once
// Data sets in the node's shared memory: read once per node by its first rank, checked, fingerprinted. Inputs
// that do not fit there are read from disk while they are used (streaming.h).

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "comm/session/session.h"
#include "core/json.h"
#include "core/shape.h"
#include "data/array_source.h"
#include "data/batch.h"
#include "data/block_stream.h"
#include "nn/losses/loss.h"
#include "train/config/settings.h"
#include "train/data/loaded_array.h"
#include "train/data/streaming.h"
#include "train/data/target_scale.h"

namespace nntrain::train {

/// Which samples, where their targets and weights are. Views into LoadedArrays.
struct Samples {
  data::ArrayView inputs;  ///< its memory is null where `stream` is not
  data::BlockStream* stream =
      nullptr;              ///< inputs are read from disk, in the order that begin_pass() was told
  data::ArrayView targets;  ///< float32; sample_size 0 when there are none (predict)
  data::ArrayView weights;  ///< float32, one per sample; rows 0 when all weigh 1
  bool has_targets() const { return targets.sample_size > 0; }
  bool has_weights() const { return weights.rows > 0; }
  std::int64_t rows() const { return inputs.rows; }
};

/// The data of a run. Views stay valid as long as the object.
struct DataSets {
  std::vector<LoadedArray> arrays;
  comm::SharedArray ring;                                   ///< of the streams, one at a time
  std::unique_ptr<StreamMail> mail;                         ///< where nodes share the reading
  std::vector<std::unique_ptr<data::BlockStream>> streams;  // after ring and mail: end before them
  Samples train;
  std::optional<Samples> validation;
  Shape input_shape;
  Shape target_shape;
  std::vector<std::string> class_names;
  float scale = 1.0F;
  TargetScale target_scale;
  std::vector<std::string> vocabulary;  ///< learned of text inputs; empty: there was none to learn
  Json columns = Json::array();         ///< names of the inputs' values, where they come from a table
  Json table = Json::object();        ///< {"inputs", "targets"}: how they were read (data::ArrayInfo::table)
  std::vector<data::TextColumn> ids;  ///< of the rows of the inputs' file, on the ranks that read it
  std::vector<std::string> report, notes;  ///< what the header says of the data: facts, and advice
  /// What of this evaluate and predict need, for the checkpoint.
  Json description() const {
    Json all = {{"columns", columns}, {"table", table}};
    if (target_scale.active()) all["target_scale"] = target_scale.description();
    return all;
  }
  /// The blocks of fit.shuffle = blocks(..): their rows, and where one begins in any case.
  std::int64_t block_rows = 1;
  std::vector<std::int64_t> block_cuts;
  /// What a resume compares: {"inputs": {"source", "rows", "sample", "sha256", "sampled"}, ...}, of the last
  /// two those that were made.
  Json fingerprints;
  std::int64_t bytes = 0;
};

/// Names of the target columns, from DataSets::table; empty: not known.
std::vector<std::string> target_names(const Json& table);

/// Samples of the data's shape for a model of another: equal, or (a note) the same number of values where one
/// of both is flat or has axes of one value. InputError with both shapes otherwise. Pure; a note or empty.
std::string check_sample_shape(const Shape& data, const Shape& model, const std::string& source);

/// The shape of one sample of data.inputs, without keeping the data. Local.
Shape sample_shape(const DataSettings& settings);

/// What the targets are turned into while they are loaded.
struct TargetPlan {
  const nn::Loss* loss = nullptr;  ///< null: targets are not loaded
  Shape output_shape;
  std::string loss_origin;  ///< "file:line: compile.loss", for messages
  std::string sign_metric;  ///< "compile.metrics = Hinge": metric_of_signs(); or empty
};

/// Loading has two halves, because the model is built between them: its input shape comes from the inputs,
/// and the form of the targets from its output. Both collective; all ranks throw or none.
class DataLoader {
 public:
  DataLoader(comm::Session& session, const DataSettings& settings, const FitSettings& fit);

  /// Opens and reads the inputs (and validation inputs).
  void load_inputs();
  /// Reads targets and weights in the form that the loss wants: class indices <-> one-hot, one class against
  /// the rest, labels checked against the classes; class weights become sample weights.
  void load_targets(const TargetPlan& plan);
  DataSets take() { return std::move(sets_); }
  const DataSets& sets() const { return sets_; }

 private:
  struct Part {
    const char* name;
    std::string inputs, targets, weights;
    std::size_t inputs_array = 0;
    data::RowRange rows;
    bool streams = false;
    bool is_shared = false;                               ///< where it streams: nodes read it together
    std::shared_ptr<data::ArraySource> source = nullptr;  ///< where it streams, on the ranks that read
    bool is_training() const { return *name == '\0'; }
  };
  std::size_t load(Part& part, const data::SourceOptions& options);
  void choose_memory_of(Part& part, const LoadedArray& array, const std::string& key);
  void take_fingerprints(const Part& part, LoadedArray& array, const std::string& key);
  void make_streams();
  void add_stream(const Part& part, const data::StreamShape& shape, Samples& samples);
  LoadedArray load_prepared(const Part& part, const TargetPlan& plan);
  void load_part_targets(const Part& part, const TargetPlan& plan, Samples& samples);
  void load_weights(const Part& part, const TargetPlan& plan, const LoadedArray& targets, Samples& samples);
  void split();
  void choose_blocks(const data::ArrayInfo& info);
  void scale_targets(const TargetPlan& plan);
  std::vector<std::int64_t> row_classes() const;
  void take_inputs(const Part& part, const LoadedArray& array);
  void report(const data::ArrayInfo& info, const std::string& source);
  data::SourceOptions options_of(data::Role role, const Part& part) const;

  comm::Session& session_;
  const DataSettings& settings_;
  const FitSettings& fit_;
  DataSets sets_;
  std::optional<TextCodes> text_;  ///< of the inputs, with the vocabulary once it is learned
  Part train_{"", "", "", "", 0, {}};
  Part validation_{"validation_", "", "", "", 0, {}};
  std::shared_ptr<data::ArraySource>
      source_;  ///< of the inputs that are being loaded, on the ranks that read
  bool own_validation_files_ = false;
  std::int64_t training_rows_ = 0;   ///< where order_ is not as in the file; 0: as split_rows() says
  std::vector<std::int64_t> order_;  ///< of the training file's rows, on the ranks that read; empty: as there
  bool weights_of_samples_ = false;  ///< not of classes: validation has them too
  std::set<std::string> reported_;   ///< sources whose reading the header tells already
};

}  // namespace nntrain::train
