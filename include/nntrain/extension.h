#pragma once
// A layer, a loss or a callback of the program's own. Once registered, layer expressions, settings and
// configurations name it as they name Keras'. Register before the first model, on every rank alike. Local.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nntrain {

/// The arguments of an expression: `Scale(factor=2.0)` gives {"factor": 2.0}.
using Arguments = std::map<std::string, double>;

/// Declares a trainable array of the layer; `initializer` in Keras' words. They come back in the order of
/// declaration.
using AddWeight = std::function<void(const std::string& name, const std::vector<std::int64_t>& shape,
                                     const std::string& initializer)>;

/// Rows are independent: what a layer makes of a row does not depend on the others. That is all it must
/// promise for the bits not to depend on the number of ranks.
class OwnLayer {
 public:
  virtual ~OwnLayer() = default;
  /// `input`: shape of one sample. Declares weights; returns the shape of the output. Throws InputError.
  virtual std::vector<std::int64_t> build(const std::vector<std::int64_t>& input, const AddWeight& add) = 0;
  /// x (rows, input) -> y (rows, output). `weights`: one pointer an array.
  virtual void forward(std::int64_t rows, const float* x, const std::vector<const float*>& weights,
                       float* y) = 0;
  /// dy (rows, output) -> dx (rows, input; null: not wanted) and, added to `gradients` (zeros at first), the
  /// sums over these rows of the weights' gradients.
  virtual void backward(std::int64_t rows, const float* x, const float* dy,
                        const std::vector<const float*>& weights, float* dx,
                        const std::vector<float*>& gradients) = 0;
};

/// A loss that is a mean over samples.
class OwnLoss {
 public:
  virtual ~OwnLoss() = default;
  /// targets and predictions (rows, width) -> values (rows), and, where not null, d_predictions (rows,
  /// width): the gradient of each row's value.
  virtual void compute(std::int64_t rows, std::int64_t width, const float* targets, const float* predictions,
                       float* values, float* d_predictions) const = 0;
};

/// After each epoch, on every rank with the same numbers.
class OwnCallback {
 public:
  virtual ~OwnCallback() = default;
  /// `epoch` counts from 1. False ends the run after this epoch.
  virtual bool on_epoch_end(std::int64_t epoch, const std::map<std::string, double>& results) = 0;
};

/// `defaults`: every argument that an expression may give, in positional order, with its default. Throws
/// InputError when the name is taken.
using Defaults = std::vector<std::pair<std::string, double>>;
void register_layer(const std::string& name, const Defaults& defaults,
                    std::function<std::unique_ptr<OwnLayer>(const Arguments&)> make);
void register_loss(const std::string& name, const Defaults& defaults,
                   std::function<std::unique_ptr<OwnLoss>(const Arguments&)> make);
void register_callback(const std::string& name, const Defaults& defaults,
                       std::function<std::unique_ptr<OwnCallback>(const Arguments&)> make);

}  // namespace nntrain
