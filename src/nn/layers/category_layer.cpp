#include "nn/layers/category_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/call.h"

namespace nntrain::nn {

OutputMode output_mode(const Json& config, const std::string& layer, bool has_index) {
  const std::string mode = config["output_mode"].get<std::string>();
  if (mode == "int" && has_index) return OutputMode::kIndex;
  if (mode == "one_hot") return OutputMode::kOneHot;
  if (mode == "multi_hot" || mode == "binary") return OutputMode::kMultiHot;
  if (mode == "count") return OutputMode::kCount;
  throw InputError(layer + ": output_mode must be one of " + (has_index ? "\"int\", " : "") +
                   "\"one_hot\", \"multi_hot\" and \"count\", got " + format_call(config["output_mode"]));
}

Shape CategoryLayer::build(const Shape& input, VariableBuilder&) {
  values_ = input.size();
  std::vector<std::int64_t> extents = input.extents();
  if (mode_ == OutputMode::kOneHot) {
    if (!extents.empty() && extents.back() == 1) extents.pop_back();
    extents.push_back(depth());
  } else if (mode_ != OutputMode::kIndex) {
    if (extents.size() != 1) {
      throw InputError("layer \"" + name() +
                       "\": output_mode multi_hot and count take samples of one axis, the input has shape " +
                       input.with_batch() + "; Flatten before");
    }
    extents = {depth()};
  }
  const Shape output(extents);
  outputs_ = output.size();
  return output;
}

void CategoryLayer::forward(const BatchContext& context, const float* x, float* y) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  if (mode_ == OutputMode::kIndex) {
    for (std::int64_t i = 0; i < context.rows * values_; ++i) {
      const std::int64_t index = index_of(x[i]);
      y[i] = index == kNone ? kNaN : static_cast<float>(index);
    }
    return;
  }
  std::fill_n(y, context.rows * outputs_, 0.0F);
  const std::int64_t apart = mode_ == OutputMode::kOneHot ? depth() : 0;
  for (std::int64_t row = 0; row < context.rows; ++row) {
    for (std::int64_t i = 0; i < values_; ++i) {
      const std::int64_t index = index_of(x[row * values_ + i]);
      float* place = y + row * outputs_ + i * apart;
      if (index == kNone) {
        place[0] = kNaN;
      } else if (index != kDropped) {
        place[index] = mode_ == OutputMode::kCount ? place[index] + 1 : 1;
      }
    }
  }
}

void CategoryLayer::backward(const BatchContext& context, const float*, const float*, float*, float* dx,
                             GradientTree&) {
  if (dx != nullptr) std::fill_n(dx, context.rows * values_, 0.0F);
}

bool is_whole(float x) { return std::abs(x) <= static_cast<float>(kMostWhole) && x == std::floor(x); }

Parameter output_mode_parameter(const std::string& default_value) {
  return {"output_mode", Kind::kText, default_value};
}

}  // namespace nntrain::nn
