#include "train/data/one_hot.h"

#include <algorithm>

namespace nntrain::train {

std::vector<float> one_hot(const std::vector<float> &labels,
                           std::int64_t classes) {
  std::vector<float> values(labels.size() * static_cast<std::size_t>(classes),
                            0.0F);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    values[i * static_cast<std::size_t>(classes) +
           static_cast<std::size_t>(labels[i])] = 1.0F;
  }
  return values;
}

std::vector<float> arg_max(const std::vector<float> &values,
                           std::int64_t classes) {
  const std::size_t width = static_cast<std::size_t>(classes);
  std::vector<float> labels(values.size() / width);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    labels[i] = static_cast<float>(std::max_element(row, row + classes) - row);
  }
  return labels;
}

} // namespace nntrain::train
