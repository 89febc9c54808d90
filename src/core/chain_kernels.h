#pragma once
// The chain products over `Lanes`, which the including file has chosen: included once by each chain_<lanes>.cpp, all of
// it in an unnamed namespace, because the same names are compiled for several instruction sets.
//
// All products work on tiles: a few rows by a few vectors of sums that stay in registers while the contraction index
// runs. The arrangement follows GotoBLAS (Goto and van de Geijn 2008) where there are many rows to use a packed panel;
// with few rows the weights are read in place, once.

#include <algorithm>

#include "core/chain_functions.h"

namespace nntrain::chain {
namespace {

constexpr int kWidth = Lanes::kWidth;
constexpr int kRows = Lanes::kTileRows;
constexpr int kVectors = Lanes::kTileVectors;
constexpr std::int64_t kPanel = kVectors * kWidth;  ///< columns of a panel
constexpr std::int64_t kFewRows = 64;               ///< up to here, packing costs more than it saves
constexpr std::int64_t kFewDepth = 64;              ///< rows of weights in a block that is read in place
constexpr std::int64_t kDepth = 192;                ///< contraction steps whose panel stays in the first-level cache
constexpr std::int64_t kColumnBlock = 1344 / kPanel * kPanel;  ///< columns whose packed block stays in the second-level cache
constexpr std::int64_t kRowBlock = 64;
constexpr std::int64_t kLine = 16;                  ///< floats of a cache line

std::int64_t padded(std::int64_t columns) { return (columns + kWidth - 1) / kWidth * kWidth; }

template <int R, int V>
struct Tile {
  Lanes::Vector sum[R][V];

  void clear() {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::zero();
    }
  }
  /// `last`: columns of the last vector.
  void load(const float* p, std::int64_t stride, int last) {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::load_first(p + i * stride + j * kWidth, j + 1 < V ? kWidth : last);
    }
  }
  void store(float* p, std::int64_t stride, int last) const {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j + 1 < V; ++j) Lanes::store(p + i * stride + j * kWidth, sum[i][j]);
      Lanes::store_first(p + i * stride + (V - 1) * kWidth, sum[i][V - 1], last);
    }
  }
  /// sum = left + sum.
  void add_to(const float* left) {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::add(Lanes::load(left + (i * V + j) * kWidth), sum[i][j]);
    }
  }
  /// sum[i] += a[i * stride] * b: one step of the chains.
  void step(const float* a, std::int64_t stride, const Lanes::Vector (&b)[V]) {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
      const Lanes::Vector left = Lanes::broadcast(a + i * stride);
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::multiply_add(left, b[j], sum[i][j]);
    }
  }
};

/// Memory that will be read soon, fetched in order, some lines at each step of a tile. With few rows each weight is used so
/// few times that waiting for memory would take longer than computing; and only in order do the processor's own
/// prefetchers help.
struct Ahead {
  const float* next = nullptr;
  std::int64_t lines = 0;
  std::int64_t lines_a_step = 0;

  void fetch() {
    for (std::int64_t j = 0; j < lines_a_step; ++j, next += kLine) Lanes::fetch(next);
    lines -= lines_a_step;
  }
};

/// c (R, columns) = a (R, k) b (k, columns), or goes on from what c holds. b lies in rows of `b_stride`.
template <int R, int V>
void product_tile(std::int64_t k, const float* a, std::int64_t a_stride, const float* b, std::int64_t b_stride, float* c,
                  std::int64_t c_stride, int last, bool go_on, Ahead& ahead) {
  Tile<R, V> tile;
  if (go_on) {
    tile.load(c, c_stride, last);
  } else {
    tile.clear();
  }
  const auto step = [&](std::int64_t p) {
    Lanes::Vector row[V];
#pragma GCC unroll 32
    for (int j = 0; j + 1 < V; ++j) row[j] = Lanes::load(b + j * kWidth);
    row[V - 1] = Lanes::load_first(b + (V - 1) * kWidth, last);
    tile.step(a + p, a_stride, row);
    b += b_stride;
  };
  std::int64_t p = 0;
  for (; p < k && ahead.lines > 0; ++p) {
    ahead.fetch();
    step(p);
  }
  for (; p < k; ++p) step(p);
  tile.store(c, c_stride, last);
}

/// Calls use<R>(first row) for the tiles of rows [begin, end).
template <class Use>
void for_tiles(std::int64_t begin, std::int64_t end, Use&& use) {
  std::int64_t i = begin;
  const auto tiles = [&]<int R>() {
    for (; i + R <= end; i += R) use.template operator()<R>(i);
  };
  tiles.template operator()<kRows>();
  tiles.template operator()<kRows / 2>();
  tiles.template operator()<1>();
}

template <int V>
void product_columns(std::int64_t m, std::int64_t k, const float* a, std::int64_t a_stride, const float* b,
                     std::int64_t b_stride, float* c, std::int64_t c_stride, int last, bool go_on, Ahead& ahead) {
  for_tiles(0, m, [&]<int R>(std::int64_t i) {
    product_tile<R, V>(k, a + i * a_stride, a_stride, b, b_stride, c + i * c_stride, c_stride, last, go_on, ahead);
  });
}

/// Calls use<V>(last): V vectors hold `columns`, the last one `last` of them.
template <class Use>
void with_vectors(std::int64_t columns, Use&& use) {
  const auto vectors = static_cast<int>((columns + kWidth - 1) / kWidth);
  const auto last = static_cast<int>(columns - (vectors - 1) * kWidth);
  static_assert(kVectors == 3);
  if (vectors == 3) return use.template operator()<3>(last);
  if (vectors == 2) return use.template operator()<2>(last);
  use.template operator()<1>(last);
}

/// Calls use(first column, columns) for each panel.
template <class Use>
void for_panels(std::int64_t columns, Use&& use) {
  for (std::int64_t j = 0; j < columns; j += kPanel) use(j, std::min(kPanel, columns - j));
}

void pack_row(const float* from, std::int64_t columns, float* to) {
  std::int64_t j = 0;
  for (; j + kWidth <= columns; j += kWidth) Lanes::store(to + j, Lanes::load(from + j));
  if (j < columns) Lanes::store(to + j, Lanes::load_first(from + j, static_cast<int>(columns - j)));
}

/// Calls use(first column, columns, first step, steps) for blocks of w (k, n): all steps of a block of columns in turn.
template <class Use>
void for_blocks(std::int64_t n, std::int64_t k, Use&& use) {
  for (std::int64_t j = 0; j < n; j += kColumnBlock) {
    for (std::int64_t p = 0; p < k; p += kDepth) use(j, std::min(kColumnBlock, n - j), p, std::min(kDepth, k - p));
  }
}

/// y (m, columns; stride n) += x (m, depth; stride k) times panels (depth, columns), packed; from 0 where not `go_on`.
void multiply_panels(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t columns, std::int64_t depth, const float* x,
                     const float* panels, float* y, bool go_on) {
  for (std::int64_t i = 0; i < m; i += kRowBlock) {
    const std::int64_t rows = std::min(kRowBlock, m - i);
    const float* panel = panels;
    Ahead nothing;
    for_panels(columns, [&](std::int64_t j, std::int64_t width) {
      with_vectors(width, [&]<int V>(int last) {
        product_columns<V>(rows, depth, x + i * k, k, panel, V * kWidth, y + i * n + j, n, last, go_on, nothing);
      });
      panel += depth * padded(width);
    });
  }
}

/// Few rows: the weights are read where they lie, in blocks of whole rows. What follows w in memory is fetched too: in a
/// model that is the next layer's.
void multiply_few(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y) {
  const std::int64_t tiles = std::max<std::int64_t>(1, m / kRows);
  for (std::int64_t step = 0; step < k; step += kFewDepth) {
    const std::int64_t depth = std::min(kFewDepth, k - step);
    const float* block = w + step * n;
    Ahead ahead{block + depth * n, kFewDepth * n / kLine, (kPanel / kLine + tiles) / tiles};
    for_panels(n, [&](std::int64_t j, std::int64_t width) {
      with_vectors(width, [&]<int V>(int last) {
        product_columns<V>(m, depth, x + step, k, block + j, n, y + j, n, last, step > 0, ahead);
      });
    });
  }
}

void multiply_lanes(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y, float* scratch) {
  if (m <= kFewRows) return multiply_few(m, n, k, x, w, y);
  for_blocks(n, k, [&](std::int64_t column, std::int64_t columns, std::int64_t step, std::int64_t depth) {
    const float* block = w + step * n + column;
    float* to = scratch;
    for_panels(columns, [&](std::int64_t j, std::int64_t width) {
      for (std::int64_t p = 0; p < depth; ++p, to += padded(width)) pack_row(block + p * n + j, width, to);
    });
    multiply_panels(m, n, k, columns, depth, x + step, scratch, y + column, step > 0);
  });
}

/// to (columns, rows; stride to_stride) = from' (rows, columns; stride from_stride).
void transpose(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride, float* to,
               std::int64_t to_stride) {
  for (std::int64_t i = 0; i < rows; i += kWidth) {
    const std::int64_t height = std::min<std::int64_t>(kWidth, rows - i);
    for (std::int64_t j = 0; j < columns; j += kWidth) {
      const std::int64_t width = std::min<std::int64_t>(kWidth, columns - j);
      const float* source = from + i * from_stride + j;
      float* target = to + j * to_stride + i;
      if (height == kWidth && width == kWidth) {
        Lanes::transpose_block(source, from_stride, target, to_stride);
      } else {
        for (std::int64_t q = 0; q < width; ++q) {
          for (std::int64_t p = 0; p < height; ++p) target[q * to_stride + p] = source[p * from_stride + q];
        }
      }
    }
  }
}

/// R rows of y' (n, lanes of rows): the weights are broadcast, a vector runs over rows of x.
template <int R, int V>
void broadcast_tile(std::int64_t k, const float* w, const float* xt, std::int64_t lanes, float* yt) {
  Tile<R, V> tile;
  tile.clear();
  Ahead ahead{w + R * k, 0, R};  // what the next tile will read
  for (std::int64_t begin = 0; begin < k; begin += kLine) {
    ahead.fetch();
    const std::int64_t end = std::min(k, begin + kLine);
    for (std::int64_t p = begin; p < end; ++p, xt += lanes) {
      Lanes::Vector row[V];
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) row[j] = Lanes::load(xt + j * kWidth);
      tile.step(w + p, k, row);
    }
  }
  tile.store(yt, lanes, kWidth);
}

template <int R, int V>
void broadcast_rows(std::int64_t n, std::int64_t k, const float* w, const float* xt, std::int64_t lanes, float* yt) {
  std::int64_t i = 0;
  const auto rows = [&]<int Q>() {
    for (; i + Q <= n; i += Q) broadcast_tile<Q, V>(k, w + i * k, xt, lanes, yt + i * lanes);
  };
  rows.template operator()<R>();
  rows.template operator()<4>();
  rows.template operator()<1>();
}

/// Few rows: x' and y' are small, and each weight is read once, where it lies.
void multiply_transposed_few(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y,
                             float* scratch) {
  const std::int64_t lanes = padded(m);
  float* xt = scratch;             // (k, lanes)
  float* yt = scratch + k * lanes;  // (n, lanes)
  if (lanes != m) std::fill_n(xt, k * lanes, 0.0F);
  transpose(m, k, x, k, xt, lanes);
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= lanes; i += 2 * kWidth) broadcast_rows<Lanes::kWideRows, 2>(n, k, w, xt + i, lanes, yt + i);
  if (i < lanes) broadcast_rows<Lanes::kTallRows, 1>(n, k, w, xt + i, lanes, yt + i);
  transpose(n, m, yt, lanes, y, n);
}

void multiply_transposed_lanes(std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* w, float* y,
                               float* scratch) {
  if (m <= kFewRows) return multiply_transposed_few(m, n, k, x, w, y, scratch);
  for_blocks(n, k, [&](std::int64_t column, std::int64_t columns, std::int64_t step, std::int64_t depth) {
    float* panel = scratch;
    for_panels(columns, [&](std::int64_t j, std::int64_t width) {
      if (padded(width) != width) std::fill_n(panel, depth * padded(width), 0.0F);
      transpose(width, depth, w + (column + j) * k + step, k, panel, padded(width));
      panel += depth * padded(width);
    });
    multiply_panels(m, n, k, columns, depth, x + step, scratch, y + column, step > 0);
  });
}

std::int64_t scratch_floats(std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t panels = std::min(kDepth, k) * padded(std::min(kColumnBlock, n));
  return m <= kFewRows ? std::max(panels, padded(m) * (n + k)) : panels;
}

}  // namespace
}  // namespace nntrain::chain
