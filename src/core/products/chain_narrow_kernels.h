#pragma once
// Layers of one to three outputs (the last one of a regression, of two classes) over `Lanes`, after
// core/chain_tile.h: where the kernels of wide layers would leave all lanes but these idle, lanes run over
// rows of x (products) or over columns of x (gradients). The chains are the same, and so are the bits.

#include "core/products/chain_tile.h"

namespace nntrain::chain {
namespace {

constexpr std::int64_t kFewOutputs = 3;
constexpr std::int64_t kRowsForLanes = 8;  ///< of x: with fewer, lanes that run over rows idle
constexpr int kNarrowLevels = 18;          ///< of the tree of sums, as in the kernels of wide layers

/// Calls use<N>() for outputs = N.
template <class Use>
void with_outputs(std::int64_t outputs, Use&& use) {
  static_assert(kFewOutputs == 3);
  if (outputs == 3) return use.template operator()<3>();
  if (outputs == 2) return use.template operator()<2>();
  use.template operator()<1>();
}

/// kWidth steps from x (rows, stride k), one a vector, whose lanes are kWidth rows; zeros in place of steps
/// and rows that are not there.
template <bool kWhole>
void load_steps(const float* x, std::int64_t k, std::int64_t rows, int steps,
                Lanes::Vector (&block)[kWidth]) {
#pragma GCC unroll 32
  for (int i = 0; i < kWidth; ++i) {
    if constexpr (kWhole) {
      block[i] = Lanes::load(x + i * k);
    } else {
      block[i] = i < rows ? Lanes::load_first(x + i * k, steps) : Lanes::zero();
    }
  }
  Lanes::transpose(block);
}

/// y (rows, N; rows fill V vectors, the last one with `last`) = x (rows, k) w (k, N).
template <int N, int V>
void narrow_tile(std::int64_t k, const float* x, const float* w, float* y, int last) {
  Tile<N, V> tile;
  tile.clear();
  const auto step = [&]<bool kWhole>(std::int64_t first, int steps) __attribute__((always_inline)) {
#pragma GCC unroll 32
    for (int j = 0; j < V; ++j) {
      Lanes::Vector block[kWidth];
      load_steps<kWhole>(x + j * kWidth * k + first, k, j + 1 < V ? kWidth : last, steps, block);
#pragma GCC unroll 32
      for (int q = 0; q < kWidth; ++q) {
        if (!kWhole && q >= steps) break;
#pragma GCC unroll 32
        for (int u = 0; u < N; ++u) {
          const Lanes::Vector weight = Lanes::broadcast(w + (first + q) * N + u);
          tile.sum[u][j] = Lanes::multiply_add(weight, block[q], tile.sum[u][j]);
        }
      }
    }
  };
  std::int64_t first = 0;
  if (last == kWidth) {
    for (; first + kWidth <= k; first += kWidth) step.template operator()<true>(first, kWidth);
  }
  for (; first < k; first += kWidth)
    step.template operator()<false>(first, static_cast<int>(std::min<std::int64_t>(kWidth, k - first)));
  if constexpr (N == 1) return tile.store(y, 0, last);
  alignas(64) float yt[N * V * kWidth];  // (N, rows)
  tile.store(yt, V * kWidth, kWidth);
  const std::int64_t rows = (V - 1) * kWidth + last;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (int u = 0; u < N; ++u) y[r * N + u] = yt[u * V * kWidth + r];
  }
}

/// y (m, n) = x (m, k) w (k, n), n <= kFewOutputs.
void multiply_narrow(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                     float* y) {
  with_outputs(n, [&]<int N>() {
    for_panels(m, [&](std::int64_t row, std::int64_t rows) {
      with_vectors(rows, [&]<int V>(int last) { narrow_tile<N, V>(k, x + row * k, w, y + row * N, last); });
    });
  });
}

/// Rows of g' that a narrow gradient has at once: columns of x in V vectors, the last one with `last`.
template <int N, int V>
void narrow_gradient_tile(std::span<const Leaf> leaves, std::int64_t inputs, const float* dz,
                          std::int64_t first, float* g, int last) {
  alignas(64) float open[kNarrowLevels][N * V * kWidth];
  int depth = 0;
  for (std::size_t s = 0; s < leaves.size(); ++s) {
    Tile<N, V> tile;
    tile.clear();
    const float* x = leaves[s].x + first;
    for (std::int64_t r = leaves[s].rows; r > 0; --r, x += inputs, dz += N) {
      Lanes::Vector row[V];
      load_row(x, row, last);
      tile.step(OneColumn{dz, 1}, 0, row);
    }
    const bool is_last = s + 1 == leaves.size();
    const int closed = is_last ? depth : __builtin_ctzll(~static_cast<unsigned long long>(s));
    for (int level = 0; level < closed; ++level) tile.add_to(open[--depth]);
    tile.store(open[depth++], V * kWidth, kWidth);
  }
  const std::int64_t columns = (V - 1) * kWidth + last;
  for (std::int64_t i = 0; i < columns; ++i) {
    for (int u = 0; u < N; ++u) g[i * N + u] = open[0][u * V * kWidth + i];
  }
}

/// dz of all leaves, which may not be there any more when gradient_rows_narrow() runs: (all rows, units).
void pack_narrow(std::span<const Leaf> leaves, std::int64_t units, float* dz) {
  for (const Leaf& leaf : leaves) dz = std::copy_n(leaf.dz, leaf.rows * units, dz);
}

/// Rows [begin, end) of g (inputs, units), units <= kFewOutputs; x is read where it lies.
void gradient_rows_narrow(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units,
                          const float* dz, std::int64_t begin, std::int64_t end, float* g) {
  with_outputs(units, [&]<int N>() {
    for_panels(end - begin, [&](std::int64_t i, std::int64_t columns) {
      with_vectors(columns, [&]<int V>(int last) {
        narrow_gradient_tile<N, V>(leaves, inputs, dz, begin + i, g + i * N, last);
      });
    });
  });
}

}  // namespace
}  // namespace nntrain::chain
