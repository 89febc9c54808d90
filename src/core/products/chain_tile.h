#pragma once
// What all chain products are made of, over `Lanes`, which the including file has chosen: tiles of sums that
// stay in registers while the contraction index runs. Included once by each chain_<lanes>.cpp, like the
// kernels that use it; all of it in an unnamed namespace, because the same names are compiled for several
// instruction sets.

#include <algorithm>

#include "core/products/chain_functions.h"

namespace nntrain::chain {
namespace {

constexpr int kWidth = Lanes::kWidth;
constexpr int kRows = Lanes::kTileRows;
constexpr int kVectors = Lanes::kTileVectors;
constexpr std::int64_t kPanel = kVectors * kWidth;  ///< columns of a panel
constexpr std::int64_t kLine = 16;                  ///< floats of a cache line
constexpr int kUnroll = 4;  ///< contraction steps between two looks at a loop's counters

std::int64_t padded(std::int64_t columns) { return (columns + kWidth - 1) / kWidth * kWidth; }
std::int64_t parts(std::int64_t whole, std::int64_t part) { return (whole + part - 1) / part; }

/// R rows of floats, `stride` apart, read from left to right, one column at a time. A pointer for every four
/// rows: the others are within reach of an address.
template <int R>
class Rows {
 public:
  Rows(const float* first, std::int64_t stride) : stride_(stride) {
    for (int g = 0; g < kGroups; ++g) group_[g] = first + 4 * g * stride;
  }
  const float* at(int row, int step) const { return group_[row / 4] + (row % 4) * stride_ + step; }
  void advance(int steps) {
#pragma GCC unroll 32
    for (int g = 0; g < kGroups; ++g) group_[g] += steps;
  }

 private:
  static constexpr int kGroups = (R + 3) / 4;
  const float* group_[kGroups];
  std::int64_t stride_;
};

/// The same for loops that are short: nothing to set up, nothing to advance.
struct OneColumn {
  const float* first;
  std::int64_t stride;
  const float* at(int row, int) const { return first + row * stride; }
};

/// R rows, packed: R floats of a column beside each other.
template <int R>
class PackedRows {
 public:
  explicit PackedRows(const float* first) : next_(first) {}
  const float* at(int row, int step) const { return next_ + step * R + row; }
  void advance(int steps) { next_ += steps * R; }

 private:
  const float* next_;
};

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
      for (int j = 0; j < V; ++j)
        sum[i][j] = Lanes::load_first(p + i * stride + j * kWidth, j + 1 < V ? kWidth : last);
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
  /// sum = sum + right.
  void add(const Tile& right) {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::add(sum[i][j], right.sum[i][j]);
    }
  }
  /// sum[i] += a(row i, step) * b: one step of the chains.
  template <class Left>
  void step(const Left& a, int step, const Lanes::Vector (&b)[V]) {
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
      const Lanes::Vector left = Lanes::broadcast(a.at(i, step));
#pragma GCC unroll 32
      for (int j = 0; j < V; ++j) sum[i][j] = Lanes::multiply_add(left, b[j], sum[i][j]);
    }
  }
};

template <int V>
void load_row(const float* p, Lanes::Vector (&row)[V], int last = kWidth) {
#pragma GCC unroll 32
  for (int j = 0; j + 1 < V; ++j) row[j] = Lanes::load(p + j * kWidth);
  row[V - 1] = Lanes::load_first(p + (V - 1) * kWidth, last);
}

/// Memory that will be read soon: rows of `row_floats`, `stride` apart, fetched in order, `lines_a_look`
/// lines at each look at a tile's counters. Weights are used so few times that waiting for memory would take
/// longer than computing.
struct Ahead {
  const float* row = nullptr;
  std::int64_t row_floats = 0;
  std::int64_t stride = 0;
  std::int64_t rows = 0;
  std::int64_t lines_a_look = 0;
  std::int64_t at = 0;

  /// A range without gaps.
  static Ahead range(const float* first, std::int64_t floats, std::int64_t lines_a_look) {
    return {first, floats, 0, 1, lines_a_look};
  }
  void fetch() {
    if (rows <= 0) return;
    for (std::int64_t j = 0; j < lines_a_look; ++j) {
      Lanes::fetch(row + at);
      at += kLine;
      if (at < row_floats) continue;
      at = 0;
      row += stride;
      if (--rows == 0) return;
    }
  }
};

/// For results of a tile: the lines belong to this core when the sums are ready.
[[gnu::always_inline]] inline void fetch_to_write(const float* p, std::int64_t floats) {
  for (std::int64_t j = 0; j < floats; j += kLine) Lanes::fetch_to_write(p + j);
}

/// Calls step(0), step(1), .. for k steps in all, and after some of them advance(steps done). `look` is
/// called in between.
template <class Step, class Advance, class Look>
[[gnu::always_inline]] inline void for_steps(std::int64_t k, Step step, Advance advance, Look look) {
  std::int64_t p = 0;
  for (; p + kUnroll <= k; p += kUnroll) {
    look();
#pragma GCC unroll 32
    for (int q = 0; q < kUnroll; ++q) step(q);
    advance(kUnroll);
  }
  for (; p < k; ++p) {
    step(0);
    advance(1);
  }
}

/// tile += left (R, k) times a panel (k, V vectors) without gaps.
template <int R, int V, class Left, class Look>
[[gnu::always_inline]] inline void contract(std::int64_t k, Left left, const float* panel, Tile<R, V>& tile,
                                            Look look) {
  const auto step = [&](int q) __attribute__((always_inline)) {
    Lanes::Vector row[V];
    load_row(panel + q * V * kWidth, row);
    tile.step(left, q, row);
  };
  const auto advance = [&](int steps) __attribute__((always_inline)) {
    left.advance(steps);
    panel += steps * V * kWidth;
  };
  for_steps(k, step, advance, look);
}

/// Calls use<R>(first row) for the tiles of rows [begin, end): as many as can be of `Most` rows, the rest by
/// four and one.
template <int Most = kRows, class Use>
void for_tiles(std::int64_t begin, std::int64_t end, Use&& use) {
  std::int64_t i = begin;
  const auto tiles = [&]<int R>() {
    for (; i + R <= end; i += R) use.template operator()<R>(i);
  };
  tiles.template operator()<Most>();
  if constexpr (Most > 4) tiles.template operator()<4>();
  tiles.template operator()<1>();
}

/// Calls use<V>(last): V vectors hold `columns`, the last one `last` of them.
template <class Use>
void with_vectors(std::int64_t columns, Use&& use) {
  const auto vectors = static_cast<int>(parts(columns, kWidth));
  const auto last = static_cast<int>(columns - (vectors - 1) * kWidth);
  static_assert(kVectors == 3);
  if (vectors == 3) return use.template operator()<3>(last);
  if (vectors == 2) return use.template operator()<2>(last);
  use.template operator()<1>(last);
}

/// Calls use(first column, columns) for each panel. One vector more than a panel is cut into halves: a tile
/// of one vector loads nearly two values for each multiply-add, one of two already keeps the arithmetic busy.
template <class Use>
void for_panels(std::int64_t columns, Use&& use, bool halves = true) {
  constexpr std::int64_t kHalf = (kVectors + 1) / 2 * kWidth;
  for (std::int64_t j = 0; j < columns;) {
    const std::int64_t left = columns - j;
    const std::int64_t width = halves && parts(left, kWidth) == kVectors + 1 ? kHalf : std::min(kPanel, left);
    use(j, width);
    j += width;
  }
}

/// Calls use(first, count) for parts of [0, whole) that are as equal as can be and no larger than `most`.
template <class Use>
void for_equal_parts(std::int64_t whole, std::int64_t most, Use&& use) {
  const std::int64_t count = parts(whole, most);
  const std::int64_t part = parts(parts(whole, count), kUnroll) * kUnroll;
  for (std::int64_t i = 0; i < whole; i += part) use(i, std::min(part, whole - i));
}

void pack_row(const float* from, std::int64_t columns, float* to) {
  std::int64_t j = 0;
  for (; j + kWidth <= columns; j += kWidth) Lanes::store(to + j, Lanes::load(from + j));
  if (j < columns) Lanes::store(to + j, Lanes::load_first(from + j, static_cast<int>(columns - j)));
}

/// to (columns, rows; stride to_stride) = from' (rows, columns; stride from_stride).
void transpose(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride,
               float* to, std::int64_t to_stride) {
  for (std::int64_t i = 0; i < rows; i += kWidth) {
    const std::int64_t height = std::min<std::int64_t>(kWidth, rows - i);
    for (std::int64_t j = 0; j < columns; j += kWidth) {
      const std::int64_t width = std::min<std::int64_t>(kWidth, columns - j);
      const float* source = from + i * from_stride + j;
      float* target = to + j * to_stride + i;
      if (height == kWidth && width == kWidth) {
        Lanes::Vector block[kWidth];
        for (int p = 0; p < kWidth; ++p) block[p] = Lanes::load(source + p * from_stride);
        Lanes::transpose(block);
        for (int q = 0; q < kWidth; ++q) Lanes::store(target + q * to_stride, block[q]);
      } else {
        for (std::int64_t q = 0; q < width; ++q) {
          for (std::int64_t p = 0; p < height; ++p) target[q * to_stride + p] = source[p * from_stride + q];
        }
      }
    }
  }
}

}  // namespace
}  // namespace nntrain::chain
