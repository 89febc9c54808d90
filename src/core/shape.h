#pragma once
// Shapes without the batch dimension, as Keras' layers see them.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace nntrain {

/// The extents of one sample, e.g. (28, 28); a scalar sample has rank 0. Extents are >= 0.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : extents_(extents) {}
  explicit Shape(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {}

  std::int64_t rank() const { return static_cast<std::int64_t>(extents_.size()); }
  std::int64_t operator[](std::int64_t axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  /// Product of the extents (1 for rank 0). Throws InputError when it does not fit 63 bits.
  std::int64_t size() const;
  /// The last extent, 1 for rank 0.
  std::int64_t last() const { return extents_.empty() ? 1 : extents_.back(); }
  /// size() / last(): how many vectors along the last axis a sample holds.
  std::int64_t leading() const;
  const std::vector<std::int64_t>& extents() const { return extents_; }
  /// Python's spelling: "(28, 28)", "(784,)", "()".
  std::string to_string() const;
  /// Keras' spelling with the unknown batch axis: "(None, 28, 28)"; `batch` < 0 prints None.
  std::string with_batch(std::int64_t batch = -1) const;
  bool operator==(const Shape&) const = default;

 private:
  std::vector<std::int64_t> extents_;
};

}  // namespace nntrain
