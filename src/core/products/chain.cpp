#include "core/products/chain.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/products/chain_functions.h"
#include "core/products/scratch.h"

namespace nntrain::chain {

namespace {

/// NNTRAIN_CHAIN=avx2 or portable takes narrower instructions than the CPU has: for tests, since the bits are
/// the same.
Functions choose() {
#if defined(__x86_64__)
  const char* wanted = std::getenv("NNTRAIN_CHAIN");
  const auto allows = [&](const char* name) { return wanted == nullptr || std::strcmp(wanted, name) == 0; };
  if (allows("avx512") && __builtin_cpu_supports("avx512f") != 0) return avx512_functions();
  if (allows("avx512") && wanted != nullptr) return avx2_functions();
  if (allows("avx2") && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
    return avx2_functions();
#elif defined(__aarch64__)
  const char* wanted = std::getenv("NNTRAIN_CHAIN");
  if (wanted == nullptr || std::strcmp(wanted, "portable") != 0) return neon_functions();
#endif
  return portable_functions();
}

const Functions& functions() {
  static const Functions kChosen = choose();
  return kChosen;
}

thread_local Scratch scratch;

}  // namespace

void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    std::fill_n(y, m * n, 0.0F);
    return;
  }
  functions().multiply(m, n, k, x, w, y, scratch.of(functions().scratch_floats(m, n, k)));
}

void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                         float* y) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    std::fill_n(y, m * n, 0.0F);
    return;
  }
  functions().multiply_transposed(m, n, k, x, w, y, scratch.of(functions().scratch_floats(m, n, k)));
}

struct KernelGradient::Implementation {
  std::vector<Leaf> leaves;
  std::int64_t inputs = 0, units = 0;
  Scratch panels;  // for each panel of columns: (all rows, its width)
  Scratch room;    // of gradient_rows
};

KernelGradient::KernelGradient() : impl_(std::make_unique<Implementation>()) {}
KernelGradient::~KernelGradient() = default;

void KernelGradient::set(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units) {
  Implementation& my = *impl_;
  my.leaves.assign(leaves.begin(), leaves.end());
  my.inputs = inputs;
  my.units = units;
  std::int64_t rows = 0;
  for (const Leaf& leaf : leaves) rows += leaf.rows;
  const std::int64_t width = units + functions().panel_columns;
  my.room.of(functions().gradient_room(rows));
  functions().pack(my.leaves, units, my.panels.of(std::max<std::int64_t>(1, rows * width)));
}

void KernelGradient::rows(std::int64_t begin, std::int64_t end, float* g, const float* updated) {
  Implementation& my = *impl_;
  functions().gradient_rows(my.leaves, my.inputs, my.units, my.panels.get(), begin, end, my.room.get(), g,
                            updated);
}

const char* instructions() { return functions().name; }

}  // namespace nntrain::chain

namespace nntrain {

namespace {

class ChainProducts : public Products {
 public:
  bool rows_are_independent() const override { return true; }
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                float* y) const override {
    chain::multiply(m, n, k, x, w, y);
  }
  void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                           float* y) const override {
    chain::multiply_transposed(m, n, k, x, w, y);
  }
  std::unique_ptr<KernelGradient> kernel_gradient() const override {
    return std::make_unique<chain::KernelGradient>();
  }
};

}  // namespace

const Products& chain_products() {
  static const ChainProducts kChains;
  return kChains;
}

bool chains_are_tuned() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#elif defined(__aarch64__)
  return true;
#else
  return false;
#endif
}

}  // namespace nntrain
