#pragma once
// Matrix products whose bits IEEE 754 defines, not a library: every element is one chain of fused
// multiply-adds over the contraction index, from 0 upward, started at +0. An element therefore depends on its
// row and its column alone: never on how many rows are in the call, on which part of the result is wanted, or
// on the kind of CPU; see docs/decisions.md, "Chains".

#include <cstdint>
#include <memory>
#include <span>

#include "core/products/products.h"

namespace nntrain::chain {

/// y (m, n) = x (m, k) w (k, n). Row-major, contiguous, no overlap. Local. Scratch is kept by the thread and
/// grows with the largest shape seen.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y);
/// y (m, n) = x (m, k) w', w (n, k). As multiply().
void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                         float* y);

using Leaf = ProductLeaf;

/// Leaf by leaf a chain over its rows. Reads the leaves' dz in set().
class KernelGradient : public nntrain::KernelGradient {
 public:
  KernelGradient();
  ~KernelGradient() override;
  KernelGradient(const KernelGradient&) = delete;
  KernelGradient& operator=(const KernelGradient&) = delete;

  void set(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units) override;
  void rows(std::int64_t begin, std::int64_t end, float* g, const float* updated = nullptr) override;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// The vector instructions in use: "AVX-512", "AVX2", "NEON", "portable". They decide the speed, not the
/// bits.
const char* instructions();

}  // namespace nntrain::chain
