#pragma once
// The configuration, read: typed, checked and with defaults filled in.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bfloat16.h"
#include "core/json.h"
#include "core/products/products.h"
#include "core/shape.h"
#include "data/array_source.h"
#include "train/config/configuration.h"

namespace nntrain::train {

/// data.validation = split(..), or one of data.folds.
struct SplitSettings {
  double fraction = 0;  ///< 0: none of it
  bool shuffle = false, stratify = false;
  std::int64_t folds = 0, fold = 0;
  std::uint64_t seed = 0;  ///< run.seed
};

/// data.memory: where inputs are while they are used.
enum class DataMemory { kAuto, kResident, kStream };
/// data.fingerprint: of what the digest is that a run which goes on compares.
enum class Fingerprint { kAuto, kFull, kSampled };

struct DataSettings {
  std::string inputs, targets, sample_weight;
  std::string validation_inputs, validation_targets, validation_sample_weight;
  std::string test_inputs, test_targets;
  std::string rows, validation_rows;
  std::string input_columns, target_columns;
  std::string positive_class;
  double scale = 1.0;
  bool standardize_targets = false;
  std::vector<std::string> class_names;
  data::TableOptions table;
  SplitSettings split;
  std::int64_t block_rows = 0;  ///< 0: from the layout of the inputs
  DataMemory where = DataMemory::kAuto;
  std::int64_t cache_bytes = 4'000'000'000;
  std::string cache_text;  ///< as written
  Fingerprint fingerprint = Fingerprint::kAuto;
  const data::MemoryArrays* memory = nullptr;  ///< sources are names in it: an embedding program's arrays
  std::optional<TextCodes> text;               ///< inputs are text: what the model's first layer wants of it
  bool keep_ids = false;                       ///< predict: columns of kind id go beside the predictions
  Json training;  ///< evaluate and predict: DataSets::description()["table"] of the training; null: not known
};

struct ModelSettings {
  std::string name;
  std::optional<Shape> input_shape;  ///< default: from the data
  std::vector<Json> layers;
  std::vector<std::string> layer_origins;  ///< parallel to layers, for messages
  std::string from;
};

struct CompileSettings {
  Json loss;                                    ///< canonical {class_name, config}; null: not given
  bool loss_by_output = false;                  ///< "crossentropy": which one, the model's output decides
  Json optimizer;                               ///< canonical
  bool optimizer_from_file = false;             ///< of model.from: goes on with its state
  std::vector<Json> metrics, weighted_metrics;  ///< as written: "accuracy" is resolved with the shapes
  std::string loss_origin, optimizer_origin, metrics_origin,
      weighted_metrics_origin;  ///< "file:line: key", for messages
};

/// What follows a step that met NaN or Inf.
enum class OnNan { kStop, kRollback };

struct FitSettings {
  std::int64_t epochs = 1, initial_epoch = 0, batch_size = 32;
  std::int64_t steps_per_epoch = 0;  ///< 0: the whole epoch
  bool shuffle = true;
  std::int64_t shuffle_window = 0;  ///< blocks(window=K): K; 0: all rows are mixed
  double validation_split = 0;
  std::int64_t validation_freq = 1;
  std::int64_t validation_batch_size = 0;  ///< 0: chosen
  std::map<std::int64_t, double> class_weight;
  std::vector<Json> callbacks;                ///< canonical
  std::vector<std::string> callback_origins;  ///< parallel to callbacks
  std::string verbose = "auto";
  std::string learning_rate_scaling = "none";
  std::int64_t reference_batch_size = 32;
  double warmup_epochs = 0;
  OnNan on_nan = OnNan::kStop;
  std::int64_t max_rollbacks = 3;
};

enum class Resume { kAuto, kNever, kRequire };

struct CheckpointSettings {
  std::string path;
  Resume resume = Resume::kAuto;
  std::int64_t keep = 2;  ///< files: the newest and keep - 1 copies
  std::int64_t every_epochs = 1, every_steps = 0;
  double every_minutes = 0;
};

/// run.products.
enum class ProductsWanted { kAuto, kChains, kBlas };

struct RunSettings {
  std::uint64_t seed = 0;
  int shards = 0;          ///< 0: auto
  double max_seconds = 0;  ///< 0: no limit
  SumFormat wire = SumFormat::kFloat32;
  ProductsWanted products = ProductsWanted::kAuto;
  BlasLibrary blas = BlasLibrary::kOpenBlas;
  bool strict = false;               ///< products may not change from resume to resume
  double stall_seconds = 600;        ///< infinity: never
  std::string stall_timeout;         ///< as written
  std::int64_t verify_every = 1000;  ///< steps; 0: never
  std::string log;
  std::string profile;
  std::string plot;
};

struct Settings {
  DataSettings data;
  ModelSettings model;
  CompileSettings compile;
  FitSettings fit;
  CheckpointSettings checkpoint;
  RunSettings run;
};

/// Reads and checks every key. Throws InputError naming key, origin and the cure. Pure.
Settings read_settings(const Configuration& configuration);

/// "float32" or "bfloat16".
const char* wire_name(SumFormat wire);

/// H:MM:SS or Slurm's forms (minutes, M:SS, D-HH, D-HH:MM, D-HH:MM:SS) -> seconds, above 0; UNLIMITED ->
/// infinity. Throws InputError for anything else.
double parse_duration(const std::string& text);
/// 512MB, 4GB (powers of 1000), 4GiB (of 1024), 1.5 TB, or a number of bytes -> bytes, above 0. Throws
/// InputError for anything else.
std::int64_t parse_size(const std::string& text);

}  // namespace nntrain::train
