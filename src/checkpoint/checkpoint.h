#pragma once
// The checkpoint: a Keras legacy HDF5 file (docs/checkpoint-format.md) that also holds everything a run needs
// to go on bit for bit, under /nntrain_dist. Rank 0 reads and writes; no MPI here.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/shape.h"
#include "io/system.h"

namespace nntrain::checkpoint {

struct WeightArray {
  std::string layer;  ///< "dense"
  std::string name;   ///< "kernel"
  Shape shape;
  bool trainable = true;
  std::vector<float> values;
};

/// Named float64 columns, one value per finished epoch.
struct History {
  std::vector<std::pair<std::string, std::vector<double>>> columns;  ///< in order of first appearance
};

struct RunState {
  std::int64_t epoch = 0;      ///< epochs completed
  std::int64_t step = 0;       ///< steps done in the current epoch
  std::int64_t iteration = 0;  ///< optimizer steps since the start
  std::uint64_t seed = 0;
  int shards = 1;
  bool finished = false;
  double epoch_seconds = 0;  ///< training time of the running epoch so far
};

struct Slot {
  std::string name;  ///< "momentum"; values parallel to the trainable weights, in their order
  std::vector<std::vector<float>> values;
};

/// Partial sums of the running epoch's metrics.
struct MetricSums {
  std::vector<double> values;  ///< (shards, width)
  std::int64_t width = 0;
};

/// Named sets of weights, e.g. EarlyStopping's best ones.
using KeptWeights = std::vector<std::pair<std::string, std::vector<WeightArray>>>;

/// Everything in a file; fields.h lists what decides how a run goes on. A Keras file that is not ours has
/// only model_config, training_config and weights.
struct Contents {
  std::string origin;                    ///< the file that was read, for messages
  std::vector<std::string> notes;        ///< what could not be taken from it
  bool architecture_only = false;        ///< a model's JSON: no weights
  Json model_config;                     ///< {"class_name":"Sequential","config":{...}}
  Json training_config;                  ///< null: not compiled
  std::vector<std::string> layer_names;  ///< model order, weightless layers too
  std::vector<WeightArray> weights;      ///< layer by layer; inside a layer trainable first, then the others
  bool ours = false;                     ///< has /nntrain_dist
  RunState state;
  History history;
  std::string optimizer;  ///< class name
  std::vector<Slot> slots;
  std::vector<double> optimizer_scalars;
  MetricSums metric_sums;
  Json callbacks;      ///< state of the callbacks, by position
  std::string config;  ///< effective configuration as INI text
  Json data;           ///< fingerprints, shapes, scale, class names
  Json environment;    ///< versions, kernel, ranks: how it was trained
  KeptWeights extra_weights;
};

/// SHA-256 (hex) over names, shapes and bytes of the weights, in order: `weights_digest`.
std::string weights_digest(const std::vector<WeightArray>& weights);

/// Writes to a new file in the same directory, closes, re-opens and verifies the digests, fsyncs, renames,
/// fsyncs the directory: `path` holds the old or the new file, never less. Missing folders are made. Throws
/// DivergedError when a weight, a slot or a kept weight is not finite, RuntimeError (no room, I/O error), and
/// leaves no half-written file. For the checkpoint that a run goes on from: RunFile.
void write(const std::string& path, const Contents& contents, io::System& system = io::System::posix());

/// Reads our checkpoint, any Keras whole-model .h5, a .keras archive, or a model's JSON; nested and
/// functional models come back as one flat Sequential. Untrusted: sizes, types and links are checked before
/// memory is taken; digests are verified. Throws InputError naming file and object.
Contents read(const std::string& path);

/// Reads a file that holds weights only (Keras' .weights.h5, or its legacy spelling) for the model of
/// `layers`
/// ({class_name, config} each, in order). Throws InputError.
Contents read_weights(const std::string& path, const std::vector<Json>& layers);

/// Is there a file at `path`?
bool exists(const std::string& path);

/// Moves a checkpoint of ours aside: "run.h5" -> "run.1.h5" (first free number); returns the new name. Throws
/// InputError for any other file.
std::string set_aside(const std::string& path);

}  // namespace nntrain::checkpoint
