#pragma once
// Activation functions as kernels over a rank's rows (Keras: keras.activations). Bits of a row never
// depend on how many rows are in the call.

#include <cstdint>

#include "core/registry.h"

namespace nntrain::nn {

class Activation : public Described {
 public:
  /// What backward needs: y alone (relu, tanh, sigmoid, softmax ...) or also the pre-activation z.
  enum class Needs : bool { kOutput = false, kInput = true };
  virtual Needs needs() const { return Needs::kOutput; }
  virtual bool is_linear() const { return false; }
  /// Columns of y for `columns` of z: fewer only for glu. Throws InputError when they cannot be.
  virtual std::int64_t output_columns(std::int64_t columns) const { return columns; }

  /// y (rows, output_columns) = f(z + bias), z (rows, columns); `bias` (columns) may be null; y == z is
  /// allowed unless needs() is kInput and bias is given, in which case z is overwritten by z + bias and y
  /// must be another array.
  virtual void forward(std::int64_t rows, std::int64_t columns, float* z, const float* bias, float* y) = 0;
  /// dz (rows, columns) = dy * f'; dz == dy is allowed where output_columns() is columns. `z` may be null
  /// when needs() is kOutput.
  virtual void backward(std::int64_t rows, std::int64_t columns, const float* z, const float* y,
                        const float* dy, float* dz) = 0;
};

/// "linear" is what None means. Softmax and the like act along a row (the last axis).
Registry<Activation>& activations();

}  // namespace nntrain::nn
