#pragma once
// The chain products as one instruction set compiles them; core/chain.cpp picks a table when the program
// starts.

#include <cstdint>
#include <span>

#include "core/products/chain.h"

namespace nntrain::chain {

struct Functions {
  const char* name;
  std::int64_t panel_columns;  ///< columns of a panel
  void (*multiply)(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y,
                   float* scratch);
  void (*multiply_transposed)(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                              float* y, float* scratch);
  std::int64_t (*scratch_floats)(std::int64_t m, std::int64_t n, std::int64_t k);
  /// dz of all leaves -> panels: for each panel of columns (all rows, its width).
  void (*pack)(std::span<const Leaf> leaves, std::int64_t units, float* panels);
  std::int64_t (*gradient_room)(std::int64_t all_rows);
  void (*gradient_rows)(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units,
                        const float* panels, std::int64_t begin, std::int64_t end, float* room, float* g,
                        const float* updated);
};

Functions portable_functions();
#if defined(__x86_64__)
Functions avx2_functions();
Functions avx512_functions();
#elif defined(__aarch64__)
Functions neon_functions();
#endif

}  // namespace nntrain::chain
