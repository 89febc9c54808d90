#pragma once
// Named arrays of a model: slices of one flat float32 array of values, and, where trainable, of one flat
// array of gradients with the same offsets.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "core/shape.h"
#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"

namespace nntrain::nn {

struct Variable {
  std::string layer;  ///< "dense_1"
  std::string name;   ///< "kernel"
  Shape shape;
  bool trainable = true;
  std::shared_ptr<Initializer> initializer;
  std::shared_ptr<Regularizer> regularizer;  ///< null: none
  std::shared_ptr<Constraint> constraint;    ///< null: none
  int index = -1;                            ///< position in Sequential::variables()
  std::int64_t offset = -1;                  ///< in floats, into the flat arrays; a multiple of 16
  float* values = nullptr;  ///< shape.size() floats in the node's shared array; set by Sequential::bind

  std::int64_t size() const { return shape.size(); }
};

/// Handed to Layer::build to declare variables; addresses stay valid for the life of the model.
class VariableBuilder {
 public:
  virtual ~VariableBuilder() = default;
  /// `trainable` is what the layer wants; a frozen layer's variables become untrainable.
  virtual Variable* add(const std::string& name, Shape shape, bool trainable,
                        std::shared_ptr<Initializer> initializer,
                        std::shared_ptr<Regularizer> regularizer = nullptr,
                        std::shared_ptr<Constraint> constraint = nullptr) = 0;
};

}  // namespace nntrain::nn
