// A loss of whole rows: cosine similarity (keras/src/losses/losses.py).

#include <algorithm>
#include <cmath>

#include "nn/losses/loss_common.h"
#include "nn/variables/parameters.h"

namespace nntrain::nn {

namespace {

/// -sum of the products of the normalized vectors.
class CosineSimilarity : public CommonLoss {
 public:
  explicit CosineSimilarity(const Json& config) : CommonLoss(config) {}
  void compute(const LossInputs& in, const float* scale, float* values, float* d_logits) const override {
    for (std::int64_t i = 0; i < in.positions; ++i) {
      const float* t = in.targets + i * in.classes;
      const float* p = in.predictions + i * in.classes;
      double tt = 0, pp = 0, tp = 0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        tt += static_cast<double>(t[c]) * t[c];
        pp += static_cast<double>(p[c]) * p[c];
        tp += static_cast<double>(t[c]) * p[c];
      }
      constexpr double kSmallest = 1e-6;  // keras.ops.normalize: the root of its epsilon 1e-12
      const double t_norm = std::max(std::sqrt(tt), kSmallest), p_norm = std::max(std::sqrt(pp), kSmallest);
      const double cosine = tp / (t_norm * p_norm);
      values[i] = static_cast<float>(-cosine);
      if (d_logits == nullptr) continue;
      const double pull = std::sqrt(pp) > kSmallest ? cosine / (p_norm * p_norm) : 0.0;
      for (std::int64_t c = 0; c < in.classes; ++c) {
        d_logits[i * in.classes + c] =
            static_cast<float>(-scale[i] * (t[c] / (t_norm * p_norm) - p[c] * pull));
      }
    }
  }
};

}  // namespace

void add_row_losses(Registry<Loss>& registry) {
  registry.add(loss_signature("CosineSimilarity", {"cosine_similarity"}, {unsupported_parameter("axis", -1)},
                              "-cos of the angle between t and y (keras.losses.CosineSimilarity)"),
               [](const Json& config) { return std::make_unique<CosineSimilarity>(config); });
}

}  // namespace nntrain::nn
