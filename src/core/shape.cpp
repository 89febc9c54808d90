#include "core/shape.h"

#include "core/error.h"

namespace nntrain {

namespace {

std::string join(const std::vector<std::int64_t>& extents) {
  std::string text;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(extents[i]);
  }
  return text;
}

}  // namespace

std::int64_t Shape::size() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents_) {
    if (extent < 0 || __builtin_mul_overflow(product, extent, &product)) {
      throw InputError("a shape of " + to_string() + " is too large or negative");
    }
  }
  return product;
}

std::int64_t Shape::leading() const {
  std::int64_t product = 1;
  for (std::size_t i = 0; i + 1 < extents_.size(); ++i) product *= extents_[i];
  return product;
}

std::string Shape::to_string() const { return "(" + join(extents_) + (extents_.size() == 1 ? ",)" : ")"); }

std::string Shape::with_batch(std::int64_t batch) const {
  const std::string first = batch < 0 ? "None" : std::to_string(batch);
  return extents_.empty() ? "(" + first + ",)" : "(" + first + ", " + join(extents_) + ")";
}

}  // namespace nntrain
