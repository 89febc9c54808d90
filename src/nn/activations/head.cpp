#include "nn/activations/head.h"

#include "nn/activations/row_activations.h"
#include "nn/activations/vector_math.h"

namespace nntrain::nn {

Head head_of(const Json& activation) {
  if (activation == "softmax") return Head::kSoftmax;
  return activation == "sigmoid" ? Head::kSigmoid : Head::kNone;
}

void apply_head(Head head, std::int64_t positions, std::int64_t classes, const float* logits,
                float* predictions) {
  if (head == Head::kSoftmax) {
    softmax_rows(positions, classes, logits, predictions);
  } else if (head == Head::kSigmoid) {
    for (std::int64_t i = 0; i < positions * classes; ++i) predictions[i] = fast_sigmoid(logits[i]);
  }
}

}  // namespace nntrain::nn
