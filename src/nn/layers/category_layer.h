#pragma once
// What the layers have in common that turn each value into an index, and the index into what `output_mode`
// says (keras/src/utils/numerical_utils.py, encode_categorical_inputs).

#include <cstdint>
#include <string>

#include "nn/layers/layer.h"

namespace nntrain::nn {

/// kIndex: the index itself; kOneHot: each index as a vector of depth() numbers; kMultiHot and kCount: one
/// vector for all indices of a sample.
enum class OutputMode { kIndex, kOneHot, kMultiHot, kCount };

/// "int" only where the layer has it. InputError for others, with Keras' words.
OutputMode output_mode(const Json& config, const std::string& layer, bool has_index);

class CategoryLayer : public Layer {
 public:
  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override;
  std::int64_t output_indices() const override { return mode_ == OutputMode::kIndex ? depth() : 2; }
  bool takes(float x) const override { return index_of(x) != kNone; }

  bool backward_reads_input() const override { return false; }
  bool backward_reads_output() const override { return false; }
  void forward(const BatchContext& context, const float* x, float* y) override;
  /// Steps have no slope: dx is 0.
  void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx,
                GradientTree& gradients) override;

 protected:
  explicit CategoryLayer(OutputMode mode) : mode_(mode) {}
  static constexpr std::int64_t kNone = -1;     ///< the layer does not take the value
  static constexpr std::int64_t kDropped = -2;  ///< leaves no trace in vectors

  OutputMode mode() const { return mode_; }
  /// Indices are below it.
  virtual std::int64_t depth() const = 0;
  virtual std::int64_t index_of(float x) const = 0;

 private:
  OutputMode mode_;
  std::int64_t values_ = 1, outputs_ = 1;  ///< of a sample
};

/// A whole number that float32 holds exactly, as an integer.
bool is_whole(float x);
/// For messages: where is_whole ends.
inline constexpr std::int64_t kMostWhole = std::int64_t{1} << 24;

/// Arguments of several of these layers.
Parameter output_mode_parameter(const std::string& default_value);

}  // namespace nntrain::nn
