// Samples that do not fit a model, in Keras' words (keras/src/layers/input_spec.py).

#include "core/error.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {

void Sequential::check_input(const Shape& sample, std::int64_t rows) const {
  if (sample == input_shape() || sample.size() == input_shape().size()) return;
  // As Keras, the first layer with a say complains: Flatten and layers without weights pass any shape on.
  Shape expected = input_shape(), found = sample;
  for (std::size_t i = 0; i < layers().size(); ++i) {
    const Layer& layer = *layers()[i];
    const Shape& output = layer_output_shape(static_cast<int>(i));
    const InputDemand demand = layer.input_demand();
    if (demand == InputDemand::kLastExtent && found.rank() >= 1) {
      if (found.last() == expected.last()) break;
      throw InputError("Input 0 of layer \"" + layer.name() +
                       "\" is incompatible with the layer: expected axis -1 of input shape to have value " +
                       std::to_string(expected.last()) + ", but received input with shape " +
                       found.with_batch(rows));
    }
    if (demand == InputDemand::kNoShape) {
      found = Shape{found.size()};
    } else if (demand != InputDemand::kNone || output != expected) {
      break;
    }
    expected = output;
  }
  throw InputError("Input 0 of layer \"" + name() + "\" is incompatible with the layer: expected shape=" +
                   input_shape().with_batch() + ", found shape=" + sample.with_batch(rows));
}

}  // namespace nntrain::nn
