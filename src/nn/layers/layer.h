#pragma once
// A layer sees this replica's rows as one array and the shard bounds: element-wise work runs over all
// rows at once, products too (their rows do not depend on one another, core/chain.h); what sums over rows
// goes shard by shard.

#include <cstdint>
#include <optional>
#include <string>

#include "core/registry.h"
#include "core/shape.h"
#include "nn/activations/head.h"
#include "nn/variables/batch_context.h"
#include "nn/variables/gradient_tree.h"
#include "nn/variables/variable.h"

namespace nntrain::nn {

/// Pre-training statistics of the training inputs, by exact global sums (Normalization.adapt).
class Adaptation {
 public:
  virtual ~Adaptation() = default;
  /// Called by the layer once with its kept axes reduced: sums over all training rows, in float64, of
  /// x and then of (x - mean)^2, per element of a sample. Collective.
  virtual void moments(std::span<double> mean, std::span<double> variance, std::int64_t& count) = 0;
};

/// What a layer insists on in the shape of what it is given, when that is not the shape it was built for.
enum class InputDemand {
  kNone,        ///< any shape will do, and is passed on
  kNoShape,     ///< any shape will do, and is passed on as one axis (Flatten)
  kLastExtent,  ///< the last axis is a matrix' (Dense)
  kShape        ///< the shape it was built for
};

/// y = x * scale + offset, with one scale and offset for all elements.
struct AffineMap {
  double scale = 1, offset = 0;
};

class Layer : public Described {
 public:
  /// Checks the input shape with Keras' words, declares variables, returns the output shape (both without
  /// the batch axis). Called once, before anything else. Throws InputError.
  virtual Shape build(const Shape& input, VariableBuilder& variables) = 0;

  /// A layer that only relabels its input (Flatten, Reshape, Identity, Input): forward and backward are
  /// never called, the arrays are passed on.
  virtual bool is_view() const { return false; }
  virtual InputDemand input_demand() const { return InputDemand::kNone; }
  /// A layer that is an affine map of its input, alike for all elements: statistics of its outputs follow
  /// from those of its inputs.
  virtual std::optional<AffineMap> affine_map() const { return std::nullopt; }
  /// A layer that moves or repeats values and leaves them as they are.
  virtual bool keeps_values() const { return is_view(); }
  /// Not 0: whatever it is given, the layer gives whole numbers 0 .. output_indices() - 1.
  virtual std::int64_t output_indices() const { return 0; }
  /// A layer that takes some values alone (the indices of an Embedding) says which, for messages ("whole
  /// numbers from 0 to 9"); "": any. Whoever gives it others gets NaN.
  virtual std::string value_demand() const { return ""; }
  /// Is the layer's input text, as codes of words (core/text_codes.h)? kWhenTold: numbers, unless
  /// take_text() says that it is text; after the constructor, before build.
  enum class Text { kNever, kWhenTold, kAlways };
  virtual Text takes_text() const { return Text::kNever; }
  virtual void take_text() {}
  /// Is `x` among them? Pure.
  virtual bool takes(float x) const { return (void)x, true; }
  /// The softmax (over the last axis) or sigmoid that the layer ends with; stays when it was released.
  virtual Head output_head() const { return Head::kNone; }
  /// y may be x and dx may be dy (Dropout, ReLU ...), given what backward reads.
  virtual bool in_place() const { return false; }
  /// Does backward read x (y)? Sequential keeps these arrays.
  virtual bool backward_reads_input() const { return true; }
  virtual bool backward_reads_output() const { return true; }

  /// Takes scratch for up to `rows` rows of this replica. No allocation happens later.
  virtual void prepare(std::int64_t rows, Mode mode) { (void)rows, (void)mode; }

  /// x (rows, input.size()) -> y (rows, output.size()). Collective in training mode when the layer uses
  /// context.sums; called with 0 rows too.
  virtual void forward(const BatchContext& context, const float* x, float* y) = 0;
  /// dy -> dx (null: not wanted, first layer) and the gradients of the variables into `gradients`.
  /// Called in training mode only, with 0 rows too. Collective as forward. dy may be overwritten, once: what
  /// it holds then stays until the step is done where the model keeps gradients (Sequential::Keep).
  virtual void backward(const BatchContext& context, const float* x, const float* y, float* dy, float* dx,
                        GradientTree& gradients) = 0;

  /// The kernel whose gradient is x' dz and nothing else, where backward leaves dz in its dy: such a product
  /// can be deferred (GradientTree::defer). Null: none. After build.
  virtual const Variable* product_kernel() const { return nullptr; }

  /// Multiply-adds x 2 of one sample's forward pass; the backward pass has twice as many.
  virtual double forward_flops() const { return 0; }

  /// Takes the activation softmax or sigmoid off the last layer, which then gives logits; kNone when it has
  /// none to give. Called at most once, after build.
  virtual Head release_activation() { return Head::kNone; }
  /// Normalization without given statistics: true until adapt() was called or weights were loaded.
  virtual bool wants_adaptation() const { return false; }
  virtual void adapt(Adaptation& data) { (void)data; }

  const std::string& name() const { return name_; }  ///< unique in the model: "dense", "dense_1"
  void set_name(std::string name) { name_ = std::move(name); }
  bool trainable() const { return trainable_; }
  void set_trainable(bool trainable) { trainable_ = trainable; }
  int index() const { return index_; }  ///< position in the model; keys the layer's random stream
  void set_index(int index) { index_ = index; }

 private:
  std::string name_;
  bool trainable_ = true;
  int index_ = 0;
};

/// Every Keras layer takes `name`, `trainable` and `dtype` besides its own arguments: the registry's
/// parameters end with these three.
Registry<Layer>& layers();

}  // namespace nntrain::nn
