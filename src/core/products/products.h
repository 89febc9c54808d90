#pragma once
// Matrix products behind one seam. Layers, the gradient tree and the owners of slices name this and nothing
// below it. Two kinds: chains (chain.h), whose bits IEEE 754 defines and whose rows are independent; and a
// library's BLAS kernels, whose bits depend on the library, the kernel and the CPU, and on which rows are in
// a call. Either way no bit depends on the number of ranks: where rows are not independent, a call has the
// rows of one shard, and a gradient is made in blocks whose bounds do not depend on who owns it.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nntrain {

/// One shard's rows: x (rows, inputs), dz (rows, units).
struct ProductLeaf {
  const float* x = nullptr;
  const float* dz = nullptr;
  std::int64_t rows = 0;
};

/// The gradient of a kernel, g (inputs, units) = sum over leaves of x' dz, added along the tree of sums
/// (core/tree.h) as shards 0, 1, .. of as many shards as there are leaves. Any rows of g can be had alone,
/// with the same bits.
class KernelGradient {
 public:
  virtual ~KernelGradient() = default;
  /// Takes up the leaves. Their dz may be read now, their x are read by rows(). No allocation after the
  /// largest shape was seen once.
  virtual void set(std::span<const ProductLeaf> leaves, std::int64_t inputs, std::int64_t units) = 0;
  /// Rows [begin, end) of g into `g` (end - begin, units); cheapest from one multiple of kBlockRows to the
  /// next. `updated`, where not null: as many values that the caller will read and write next; they may be
  /// brought into the cache meanwhile. Local.
  virtual void rows(std::int64_t begin, std::int64_t end, float* g, const float* updated = nullptr) = 0;

  /// Rows of a gradient that are made at once, so that they stay in the second-level cache.
  static constexpr std::int64_t kBlockRows = 64;
};

class Products {
 public:
  virtual ~Products() = default;
  /// Does a row of multiply() depend on its own row of x alone? If not, a call takes the rows of one shard.
  virtual bool rows_are_independent() const = 0;
  /// y (m, n) = x (m, k) w (k, n). Row-major, contiguous, no overlap. Local.
  virtual void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                        float* y) const = 0;
  /// y (m, n) = x (m, k) w', w (n, k). As multiply().
  virtual void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x,
                                   const float* w, float* y) const = 0;
  virtual std::unique_ptr<KernelGradient> kernel_gradient() const = 0;
};

/// Chains of fused multiply-adds. There is one, without state.
const Products& chain_products();
/// Are chains written for the vector instructions of this CPU?
bool chains_are_tuned();

enum class BlasLibrary { kOpenBlas, kOneDnn };
/// "openblas", "onednn": as run.blas says it. The first is whichever CBLAS the program was built with.
std::string_view blas_name(BlasLibrary library);
bool has_blas(BlasLibrary library);
/// A library's kernels. Needs has_blas(). One thread, and no signal is handled while a library multiplies.
std::unique_ptr<Products> blas_products(BlasLibrary library);

/// What the bits of a library's products depend on.
struct BlasFacts {
  std::string library;  ///< "OpenBLAS"
  std::string version;  ///< "0.3.21"
  std::string kernel;   ///< "SkylakeX"
  std::string cpu;      ///< "AMD EPYC, family 25, model 17"
  std::string text() const { return library + " " + version + " " + kernel; }
};
BlasFacts blas_facts(BlasLibrary library);

}  // namespace nntrain
