#pragma once
// Targets in the form that the loss wants, and the weights of samples. Pure functions of one node's first
// rank.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/array_source.h"
#include "nn/losses/loss.h"

namespace nntrain::train {

struct TargetRules {
  const nn::Loss* loss = nullptr;
  Shape output_shape;                            ///< of one sample of the model
  std::string positive_class;                    ///< data.positive_class, or empty
  std::vector<std::string> class_names;          ///< data.class_names, or empty
  std::string where;                             ///< key and file, for messages
  std::string loss_origin;                       ///< "file:line: compile.loss", for messages
  data::Labels labels = data::Labels::kClasses;  ///< what text may become
  std::string wants_numbers;                     ///< "compile.loss = MeanSquaredError"
  /// Numbers that stand for classes, in the order of the outputs; empty: 0, 1, 2, ..
  std::vector<double> label_values;
  bool label_values_known = false;  ///< of the training: others are errors
  bool after_training = false;      ///< validation, evaluate: numbers never become classes anew
};

struct PreparedTargets {
  data::ArrayInfo
      info;  ///< element kFloat32; the sample shape that the loss gets; class_names of the outputs
  std::vector<float> values;
};

/// Class index <-> one-hot (to_categorical, argmax) where the loss wants the other form; one class against
/// the rest; whole numbers other than 0, 1, .. become classes named after them where there are as many as
/// outputs. Labels outside the classes or the loss's meaning and shapes that do not fit throw InputError with
/// row, both values and the cure.
PreparedTargets prepare_targets(const data::ArrayInfo& info, std::span<const std::byte> raw,
                                const TargetRules& rules);

/// One weight per sample from class weights; targets are class indices, one-hot or 0/1. Classes that are not
/// listed weigh 1, as in Keras. Throws InputError for targets that are no classes and for weights of classes
/// that there are not (`outputs`: units of the last layer). Classes named after numbers are listed by these.
std::vector<float> class_weights(const data::ArrayInfo& info, std::span<const float> targets,
                                 const std::map<std::int64_t, double>& weights, const nn::Loss& loss,
                                 std::int64_t outputs);

/// Reads data.sample_weight: one finite weight >= 0 per row. Throws InputError with the row.
std::vector<float> read_sample_weights(const std::string& source, const std::string& key, std::int64_t rows,
                                       const data::TableOptions& table,
                                       const data::MemoryArrays* memory = nullptr);

}  // namespace nntrain::train
