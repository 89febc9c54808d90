#pragma once
// Matrix products whose bits IEEE 754 defines, not a library: every element is one chain of fused
// multiply-adds over the contraction index, from 0 upward, started at +0. An element therefore depends on its
// row and its column alone: never on how many rows are in the call, on which part of the result is wanted, or
// on the kind of CPU; see docs/decisions.md, "Chains".

#include <cstdint>
#include <memory>
#include <span>

namespace nntrain::chain {

/// y (m, n) = x (m, k) w (k, n). Row-major, contiguous, no overlap. Local. Scratch is kept by the thread and
/// grows with the largest shape seen.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y);
/// y (m, n) = x (m, k) w', w (n, k). As multiply().
void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                         float* y);

/// One shard's rows: x (rows, inputs), dz (rows, units).
struct Leaf {
  const float* x = nullptr;
  const float* dz = nullptr;
  std::int64_t rows = 0;
};

/// The gradient of a kernel, g (inputs, units) = sum over leaves of x' dz: leaf by leaf a chain over its
/// rows, and the leaves added along the tree of sums (core/tree.h) as shards 0, 1, .. of as many shards as
/// there are leaves. Any rows of g can be had alone, with the same bits.
class KernelGradient {
 public:
  KernelGradient();
  ~KernelGradient();
  KernelGradient(const KernelGradient&) = delete;
  KernelGradient& operator=(const KernelGradient&) = delete;

  /// Reads the leaves' dz now; their x are read by rows(). No allocation after the largest shape was seen
  /// once.
  void set(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units);
  /// Rows [begin, end) of g into `g` (end - begin, units). `updated`, where not null: as many values that the
  /// caller will read and write next; they are brought into the cache meanwhile. Local.
  void rows(std::int64_t begin, std::int64_t end, float* g, const float* updated = nullptr);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// The vector instructions in use: "AVX-512", "AVX2", "portable". They decide the speed, not the bits.
const char* instructions();

}  // namespace nntrain::chain
