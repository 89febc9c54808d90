#pragma once
// y = x w and y = x w' over `Lanes`, after core/chain_tile.h. A panel of w, some columns wide, is copied by
// the first tile that reads it and serves many rows of x from the second-level cache, as in GotoBLAS (Goto
// and van de Geijn 2008); with few rows w is read where it lies, once.

#include "core/products/chain_narrow_kernels.h"
#include "core/products/chain_tile.h"

namespace nntrain::chain {
namespace {

constexpr std::int64_t kSmallWeights =
    1 << 12;  ///< floats: weights that stay in the first-level cache while rows of x go by
constexpr std::int64_t kFewFloats =
    1 << 15;  ///< of weights in a block that is read in place: all columns of some rows
constexpr std::int64_t kDepth = 512;          ///< contraction steps of a panel
constexpr std::int64_t kRowBlock = 256;       ///< rows that a panel serves before the next one is taken
constexpr std::int64_t kBroadcastRows = 256;  ///< from here on x w' transposes w, not x and y
constexpr std::int64_t kOutputs =
    48;  ///< columns of y that are transposed at once; a multiple of all tiles' rows

/// Where a tile finds its weights, (depth, columns): in a panel without gaps, or, if it is not filled yet, in
/// rows of w, `stride` apart, which the tile copies to the panel.
struct Source {
  const float* w;
  std::int64_t stride;
  float* panel;
  bool panel_is_filled;
};

/// c (R, columns) = a (R, k) times weights (k, columns), or goes on from what c holds.
template <int R, int V, bool kCopied>
void product_tile(std::int64_t k, const float* a, std::int64_t a_stride, Source from, float* c,
                  std::int64_t c_stride, int last, bool go_on, Ahead& ahead, Ahead& x_ahead) {
  Tile<R, V> tile;
  if (go_on) {
    tile.load(c, c_stride, last);
  } else {
    tile.clear();
    for (int i = 0; i < R; ++i) fetch_to_write(c + i * c_stride, V * kWidth);
  }
  Rows<R> rows(a, a_stride);
  const auto step = [&](int q) __attribute__((always_inline)) {
    Lanes::Vector row[V];
    if constexpr (kCopied) {
      load_row(from.panel + q * V * kWidth, row);
    } else {
      load_row(from.w, row, last);
      from.w += from.stride;
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) Lanes::store(from.panel + (q * V + j) * kWidth, row[j]);
    }
    tile.step(rows, q, row);
  };
  const auto advance = [&](int steps) __attribute__((always_inline)) {
    rows.advance(steps);
    from.panel += steps * V * kWidth;
  };
  const auto look = [&] {
    ahead.fetch();
    x_ahead.fetch();
  };
  for_steps(k, step, advance, look);
  tile.store(c, c_stride, last);
}

/// The same with weights in place.
template <int R, int V, bool kWhole>
void short_tile(std::int64_t k, const float* a, std::int64_t a_stride, const float* w, std::int64_t w_stride,
                float* c, std::int64_t c_stride, int last, bool go_on, Ahead& ahead) {
  Tile<R, V> tile;
  if (go_on) {
    tile.load(c, c_stride, last);
  } else {
    tile.clear();
  }
  Rows<R> rows(a, a_stride);
  const auto step = [&](int q) __attribute__((always_inline)) {
    Lanes::Vector row[V];
    load_row(w, row, kWhole ? kWidth : last);
    w += w_stride;
    tile.step(rows, q, row);
  };
  const auto advance = [&](int steps) __attribute__((always_inline)) { rows.advance(steps); };
  for_steps(k, step, advance, [&] { ahead.fetch(); });
  tile.store(c, c_stride, last);
}

/// y (m, columns; stride n) = or += x (m, depth; stride k) times a panel.
void multiply_panel(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t depth, std::int64_t columns,
                    const float* x, Source from, float* y, bool go_on, Ahead& ahead, Ahead& x_ahead) {
  bool copied = from.panel_is_filled;  // apart from `from`, which would be read while this is being written
  with_vectors(columns, [&]<int V>(int last) {
    for_tiles(0, m, [&]<int R>(std::int64_t i) {
      const auto product = copied ? product_tile<R, V, true> : product_tile<R, V, false>;
      product(depth, x + i * k, k, from, y + i * n, n, last, go_on, ahead, x_ahead);
      copied = true;
    });
  });
}

/// Few rows, or small weights: the weights are read where they lie, in blocks of whole rows. What follows w
/// in memory is fetched too: in a model that is the next layer's.
void multiply_in_place(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                       float* y) {
  const std::int64_t tiles = parts(m, kRows);
  for_equal_parts(k, std::max<std::int64_t>(64, kFewFloats / n), [&](std::int64_t step, std::int64_t depth) {
    const float* block = w + step * n;
    Ahead ahead = Ahead::range(block + depth * n, depth * n, parts(kUnroll * (kPanel / kLine + 1), tiles));
    for_panels(n, [&](std::int64_t j, std::int64_t columns) {
      with_vectors(columns, [&]<int V>(int last) {
        for_tiles(0, m, [&]<int R>(std::int64_t i) {
          const auto tile = last == kWidth ? short_tile<R, V, true> : short_tile<R, V, false>;
          tile(depth, x + i * k + step, k, block + j, n, y + i * n + j, n, last, step > 0, ahead);
        });
      });
    });
  });
}

void multiply_lanes(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y,
                    float* scratch) {
  if (n <= kFewOutputs && m >= kRowsForLanes) return multiply_narrow(m, n, k, x, w, y);
  if (m <= Lanes::kRowsInPlace || k * n <= kSmallWeights) return multiply_in_place(m, n, k, x, w, y);
  for_equal_parts(m, kRowBlock, [&](std::int64_t row, std::int64_t rows) {
    const std::int64_t looks_a_step = parts(rows, kRows);  // a look of each tile every kUnroll steps
    for_equal_parts(k, kDepth, [&](std::int64_t step, std::int64_t depth) {
      for_panels(n, [&](std::int64_t j, std::int64_t columns) {
        const float* block = w + step * n + j;
        constexpr std::int64_t kReach = kPanel + kLine;  // rows begin anywhere in a line
        Ahead ahead{block + columns, kReach, n, j + columns < n ? depth : 0,
                    parts(kUnroll * kReach / kLine, looks_a_step)};
        Ahead x_ahead;  // the first panel meets x for the first time: the rows of the next tile
        if (j == 0)
          x_ahead = {x + (row + kRows) * k + step, depth, k, rows - kRows, parts(kUnroll * kRows, kLine)};
        multiply_panel(rows, n, k, depth, columns, x + row * k + step, {block, n, scratch, false},
                       y + row * n + j, step > 0, ahead, x_ahead);
      });
    });
  });
}

/// R rows of y' (.., V vectors of rows of x): the weights are broadcast, vectors run over rows of x.
template <int R, int V>
void broadcast_tile(std::int64_t k, const float* w, const float* xt, float* yt, Ahead& ahead) {
  Tile<R, V> tile;
  tile.clear();
  contract(k, Rows<R>(w, k), xt, tile, [&] { ahead.fetch(); });
  tile.store(yt, V * kWidth, kWidth);
}

/// Rows of a broadcast tile: fewer vectors leave registers for more rows.
template <int V>
constexpr int kBroadcastTile = V == 3   ? kRows
                               : V == 2 ? Lanes::kWideRows
                                        : Lanes::kTallRows;

/// Not so many rows: x' and y' are smaller than w, and w is read in order, where it lies.
void multiply_transposed_few(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                             float* y, float* scratch) {
  float* xt = scratch;                  // for each panel of rows (k, its width)
  float* yt = scratch + k * padded(m);  // (kOutputs, width of a panel)
  for_panels(m, [&](std::int64_t row, std::int64_t rows) {
    float* panel = xt + k * row;
    if (padded(rows) != rows) std::fill_n(panel, k * padded(rows), 0.0F);
    transpose(rows, k, x + row * k, k, panel, padded(rows));
  });
  for (std::int64_t output = 0; output < n; output += kOutputs) {
    const std::int64_t outputs = std::min(kOutputs, n - output);
    const float* block = w + output * k;
    const std::int64_t looks_a_step = parts(m, kPanel) * parts(kOutputs, Lanes::kTallRows);
    Ahead ahead =
        Ahead::range(block + outputs * k, kOutputs * k, parts(kUnroll * kOutputs / kLine, looks_a_step));
    for_panels(m, [&](std::int64_t row, std::int64_t rows) {
      with_vectors(rows, [&]<int V>(int) {
        for (std::int64_t r = row; r < row + rows; ++r) fetch_to_write(y + r * n + output, outputs);
        for_tiles<kBroadcastTile<V>>(0, outputs, [&]<int R>(std::int64_t i) {
          broadcast_tile<R, V>(k, block + i * k, xt + k * row, yt + i * V * kWidth, ahead);
        });
        transpose(outputs, rows, yt, V * kWidth, y + row * n + output, n);
      });
    });
  }
}

/// Few columns of x: w' is small, and every row of y is made of its few rows.
void multiply_transposed_narrow(std::int64_t m, std::int64_t n, std::int64_t k, const float* x,
                                const float* w, float* y, float* scratch) {
  if (k == 1) return multiply_in_place(m, n, k, x, w, y);
  transpose(n, k, w, k, scratch, n);
  multiply_in_place(m, n, k, x, scratch, y);
}

void multiply_transposed_lanes(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w,
                               float* y, float* scratch) {
  if (k <= kFewOutputs) return multiply_transposed_narrow(m, n, k, x, w, y, scratch);
  if (m < kBroadcastRows) return multiply_transposed_few(m, n, k, x, w, y, scratch);
  for_equal_parts(m, 2 * kRowBlock, [&](std::int64_t row, std::int64_t rows) {
    for_equal_parts(k, kDepth, [&](std::int64_t step, std::int64_t depth) {
      for_panels(n, [&](std::int64_t j, std::int64_t columns) {
        if (padded(columns) != columns) std::fill_n(scratch, depth * padded(columns), 0.0F);
        transpose(columns, depth, w + j * k + step, k, scratch, padded(columns));
        Ahead ahead{w + (j + columns) * k + step, depth, k, std::min(kPanel, n - j - columns), 1};
        Ahead x_ahead;  // the first panel meets x for the first time: the rows of the next tile
        if (j == 0)
          x_ahead = {x + (row + kRows) * k + step, depth, k, rows - kRows, parts(kUnroll * kRows, kLine)};
        multiply_panel(rows, n, k, depth, columns, x + row * k + step, {nullptr, 0, scratch, true},
                       y + row * n + j, step > 0, ahead, x_ahead);
      });
    });
  });
}

std::int64_t scratch_floats(std::int64_t m, std::int64_t n, std::int64_t k) {
  if (k <= kFewOutputs) return std::max(k * n, kDepth * kPanel);
  const std::int64_t few = k * padded(m) + kOutputs * kPanel;
  return m < kBroadcastRows ? std::max(few, kDepth * kPanel) : kDepth * kPanel;
}

}  // namespace
}  // namespace nntrain::chain
