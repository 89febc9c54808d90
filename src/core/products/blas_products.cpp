// Products by a library, shard by shard.

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <vector>

#include "core/products/gemm.h"
#include "core/products/products.h"
#include "core/products/scratch.h"
#include "core/tree.h"

namespace nntrain {

namespace {

using gemm::Transpose;

/// Blocks of kBlockRows rows of the gradient, on one grid for every owner. In each the leaves are added along
/// the tree, whose open nodes wait in `open_`: one for each bit that is set in the number of leaves done.
class BlasGradient : public KernelGradient {
 public:
  explicit BlasGradient(BlasLibrary library) : library_(library) {}

  void set(std::span<const ProductLeaf> leaves, std::int64_t inputs, std::int64_t units) override {
    leaves_.assign(leaves.begin(), leaves.end());
    inputs_ = inputs;
    units_ = units;
    const auto levels = static_cast<std::int64_t>(std::bit_width(leaves.size())) + 1;
    open_.of(levels * kBlockRows * units);
  }

  void rows(std::int64_t begin, std::int64_t end, float* g, const float*) override {
    const gemm::SignalsHeldBack held;
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t block = row / kBlockRows * kBlockRows;
      const std::int64_t block_end = std::min(inputs_, block + kBlockRows), next = std::min(end, block_end);
      float* target = g + (row - begin) * units_;
      const bool whole = row == block && next == block_end;
      float* sums = whole ? target : open_.get();
      add_leaves(block, block_end - block, sums);
      if (!whole) std::copy_n(sums + (row - block) * units_, (next - row) * units_, target);
      row = next;
    }
  }

 private:
  void add_leaves(std::int64_t first, std::int64_t count, float* sums) {
    const std::int64_t size = count * units_;
    const auto level = [&](int k) { return k == 0 ? sums : open_.get() + k * kBlockRows * units_; };
    int depth = 0;
    for (std::size_t s = 0; s < leaves_.size(); ++s) {
      const ProductLeaf& leaf = leaves_[s];
      gemm::multiply(library_, Transpose::kYes, Transpose::kNo, count, units_, leaf.rows, leaf.x + first,
                     inputs_, leaf.dz, units_, level(depth), units_);
      const int closed = s + 1 == leaves_.size() ? depth : std::countr_one(s);
      for (int k = 0; k < closed; ++k, --depth) {
        const auto floats = static_cast<std::size_t>(size);
        add_in_place({level(depth - 1), floats}, {level(depth), floats});
      }
      ++depth;
    }
  }

  BlasLibrary library_;
  std::vector<ProductLeaf> leaves_;
  std::int64_t inputs_ = 0, units_ = 0;
  Scratch open_;  // (levels, kBlockRows, units)
};

class BlasProducts : public Products {
 public:
  explicit BlasProducts(BlasLibrary library) : library_(library) {}
  bool rows_are_independent() const override { return false; }
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                float* y) const override {
    const gemm::SignalsHeldBack held;
    gemm::multiply(library_, Transpose::kNo, Transpose::kNo, m, n, k, x, k, w, n, y, n);
  }
  void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                           float* y) const override {
    const gemm::SignalsHeldBack held;
    gemm::multiply(library_, Transpose::kNo, Transpose::kYes, m, n, k, x, k, w, k, y, n);
  }
  std::unique_ptr<KernelGradient> kernel_gradient() const override {
    return std::make_unique<BlasGradient>(library_);
  }

 private:
  BlasLibrary library_;
};

}  // namespace

std::unique_ptr<Products> blas_products(BlasLibrary library) {
  return std::make_unique<BlasProducts>(library);
}

}  // namespace nntrain
