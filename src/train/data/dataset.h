#pragma once
// Data sets in the node's shared memory: read once per node by its first rank, checked, fingerprinted.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/session/session.h"
#include "core/json.h"
#include "core/shape.h"
#include "data/array_source.h"
#include "data/batch.h"
#include "nn/losses/loss.h"
#include "train/config/settings.h"

namespace nntrain::train {

/// One file's samples in shared memory.
struct LoadedArray {
  data::ArrayInfo info;
  std::string fingerprint;
  std::string source;
  comm::SharedArray memory;
};

/// Which samples, where their targets and weights are. Views into LoadedArrays.
struct Samples {
  data::ArrayView inputs;
  data::ArrayView targets;  ///< float32; sample_size 0 when there are none (predict)
  data::ArrayView weights;  ///< float32, one per sample; rows 0 when all weigh 1
  bool has_targets() const { return targets.sample_size > 0; }
  bool has_weights() const { return weights.rows > 0; }
  std::int64_t rows() const { return inputs.rows; }
};

/// The data of a run. Views stay valid as long as the object.
struct DataSets {
  std::vector<LoadedArray> arrays;
  Samples train;
  std::optional<Samples> validation;
  Shape input_shape;
  Shape target_shape;
  std::vector<std::string> class_names;
  float scale = 1.0F;
  Json fingerprints;  ///< {"inputs": {"source","shape","sha256"}, ...} : what a resume compares
  std::int64_t bytes = 0;
};

/// What the targets are turned into while they are loaded.
struct TargetPlan {
  const nn::Loss* loss = nullptr;  ///< null: targets are not loaded
  Shape output_shape;
  std::string loss_origin;  ///< "file:line: compile.loss", for messages
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
  };
  std::size_t load(const std::string& name, const data::SourceOptions& options);
  LoadedArray load_prepared(const Part& part, const TargetPlan& plan);
  void load_part_targets(const Part& part, const TargetPlan& plan, Samples& samples);
  void split_rows();
  data::SourceOptions input_options(const std::string& key, const std::string& source) const;
  data::SourceOptions target_options(const std::string& key, const std::string& source) const;

  comm::Session& session_;
  const DataSettings& settings_;
  const FitSettings& fit_;
  DataSets sets_;
  Part train_{"", "", "", "", 0, {}};
  Part validation_{"validation_", "", "", "", 0, {}};
  bool own_validation_files_ = false;
};

}  // namespace nntrain::train
