#pragma once
// Gradients of kernels over `Lanes`, after core/chain_tile.h.

#include "core/products/chain_narrow_kernels.h"
#include "core/products/chain_tile.h"

namespace nntrain::chain {
namespace {

constexpr std::int64_t kGradientBlock =
    64;  ///< rows of a gradient that share a panel in the second-level cache
constexpr std::int64_t kManyRows =
    512;  ///< beyond, a panel of dz is taken piece by piece, each for all tiles
constexpr std::int64_t kNarrow =
    128;  ///< columns of x: up to here its rows are near enough to be read in place
constexpr std::int64_t kNearFloats =
    1 << 16;  ///< x that a single panel reads: so much is in the second-level cache, and read in place too
constexpr int kOpenLevels = 18;  ///< of the tree of sums: 2^17 shards and their sum

std::int64_t rows_of(std::span<const Leaf> leaves) {
  std::int64_t rows = 0;
  for (const Leaf& leaf : leaves) rows += leaf.rows;
  return rows;
}

/// So short that two neighbours are made at once.
bool are_short(std::span<const Leaf> leaves) {
  return leaves.size() > 1 &&
         rows_of(leaves) <= Lanes::kPairedRows * static_cast<std::int64_t>(leaves.size());
}

/// Pairs of leaves have half the registers each: a panel of three vectors and one of one suit them better
/// than two of two.
template <class Use>
void for_gradient_panels(std::span<const Leaf> leaves, std::int64_t units, Use&& use) {
  for_panels(units, use, !are_short(leaves));
}

void pack(std::span<const Leaf> leaves, std::int64_t units, float* panels) {
  if (units <= kFewOutputs) return pack_narrow(leaves, units, panels);
  for_gradient_panels(leaves, units, [&](std::int64_t j, std::int64_t columns) {
    for (const Leaf& leaf : leaves) {
      for (std::int64_t r = 0; r < leaf.rows; ++r, panels += padded(columns))
        pack_row(leaf.dz + r * units + j, columns, panels);
    }
  });
}

/// R columns of x that a tile reads: packed, (rows of all leaves, R), or where they lie, from column `first`
/// of rows `stride` apart.
struct Columns {
  const float* packed = nullptr;
  std::int64_t first = 0;
  std::int64_t stride = 0;

  /// The first row of a leaf; `packed_rows`: after those of the leaves before it.
  const float* of(const Leaf& leaf, const float* packed_rows) const {
    return packed == nullptr ? leaf.x + first : packed_rows;
  }
};

/// R rows of g by V vectors: a chain for each leaf, and the leaves along the tree of sums, whose open nodes
/// wait in `open`: one for each bit that is set in the number of leaves done. panel (all rows, V vectors).
template <int R, int V>
void gradient_tile(std::span<const Leaf> leaves, Columns columns, const float* panel, float* g,
                   std::int64_t units, int last, const float* updated) {
  if (updated != nullptr) {
    for (int i = 0; i < R; ++i) fetch_to_write(updated + i * units, V * kWidth);
  }
  alignas(64) float open[kOpenLevels][R * V * kWidth];
  int depth = 0;
  const float* x = columns.packed;
  for (std::size_t s = 0; s < leaves.size(); ++s) {
    Tile<R, V> tile;
    tile.clear();
    x = columns.of(leaves[s], x);
    for (std::int64_t r = leaves[s].rows; r > 0;
         --r, x += columns.stride, panel += V * kWidth) {  // few: not worth for_steps()
      Lanes::Vector row[V];
      load_row(panel, row);
      tile.step(PackedRows<R>(x), 0, row);
    }
    const bool is_last = s + 1 == leaves.size();
    const int closed = is_last ? depth : __builtin_ctzll(~static_cast<unsigned long long>(s));
    for (int level = 0; level < closed; ++level) tile.add_to(open[--depth]);
    if (is_last) {
      tile.store(g, units, last);
    } else {
      tile.store(open[depth++], V * kWidth, kWidth);
    }
  }
}

/// H of the R rows of a tile in packed columns.
template <int R>
struct SomeOfPacked {
  const float* first;
  const float* at(int row, int) const { return first + row; }
};

/// As gradient_tile for leaves of few rows, where storing and adding them takes as long as making them: two
/// neighbours meet in registers, for which a tile has half the rows at a time.
template <int R, int V>
void gradient_tile_of_pairs(std::span<const Leaf> leaves, Columns columns, const float* panel, float* g,
                            std::int64_t units, int last, const float* updated) {
  constexpr int H = 2 * R * V <= kRows * kVectors ? R : R / 2;
  static_assert(R % H == 0);
  if (updated != nullptr) {
    for (int i = 0; i < R; ++i) fetch_to_write(updated + i * units, V * kWidth);
  }
  alignas(64) float open[kOpenLevels][H * V * kWidth];
  for (int half = 0; half < R; half += H) {
    const float *x = columns.packed, *b = panel;
    const auto add_leaf = [&](const Leaf& leaf, Tile<H, V>& tile) __attribute__((always_inline)) {
      tile.clear();
      x = columns.of(leaf, x);
      for (std::int64_t rows = leaf.rows; rows > 0; --rows, x += columns.stride, b += V * kWidth) {
        Lanes::Vector row[V];
        load_row(b, row);
        tile.step(SomeOfPacked<R>{x + half}, 0, row);
      }
    };
    int depth = 0;
    for (std::size_t s = 0; s < leaves.size(); s += 2) {
      Tile<H, V> tile;
      add_leaf(leaves[s], tile);
      if (s + 1 < leaves.size()) {
        Tile<H, V> right;
        add_leaf(leaves[s + 1], right);
        tile.add(right);
      }
      const bool is_last = s + 2 >= leaves.size();
      const int closed = is_last ? depth : __builtin_ctzll(~static_cast<unsigned long long>(s / 2));
      for (int level = 0; level < closed; ++level) tile.add_to(open[--depth]);
      if (is_last) {
        tile.store(g + half * units, units, last);
      } else {
        tile.store(open[depth++], V * kWidth, kWidth);
      }
    }
  }
}

/// The tile that suits these leaves.
template <int R, int V>
auto* tile_of(std::span<const Leaf> leaves) {
  if constexpr (Lanes::kPairedRows == 0) return &gradient_tile<R, V>;
  return are_short(leaves) ? &gradient_tile_of_pairs<R, V> : &gradient_tile<R, V>;
}

/// Rows of a tile of packed columns: some more than `all_rows`, or the tiles of 256 rows of x would all begin
/// in the same set of the cache.
std::int64_t packed_rows(std::int64_t all_rows) { return all_rows + kLine / kRows; }

/// x' of rows [begin, end) of g, tile by tile: (packed_rows(all_rows), rows of the tile) each.
void pack_columns_of_x(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t begin,
                       std::int64_t end, std::int64_t all_rows, float* to) {
  constexpr std::int64_t kAhead = 8;
  const std::int64_t stride = packed_rows(all_rows);
  std::int64_t done = 0;
  for (const Leaf& leaf : leaves) {
    const float* row = leaf.x + begin;
    for (std::int64_t r = 0; r < leaf.rows; ++r, row += inputs, ++done) {
      for (std::int64_t j = 0; j < end - begin; j += kLine) Lanes::fetch(row + kAhead * inputs + j);
      for_tiles(0, end - begin,
                [&]<int R>(std::int64_t i) { std::copy_n(row + i, R, to + i * stride + done * R); });
    }
  }
}

/// sums (R, V vectors) = or += x' dz of `rows` rows.
template <int R, int V>
void gradient_chunk(std::int64_t rows, const float* xt, const float* panel, float* sums, bool go_on,
                    Ahead& ahead) {
  Tile<R, V> tile;
  if (go_on) {
    tile.load(sums, V * kWidth, kWidth);
  } else {
    tile.clear();
  }
  contract(rows, PackedRows<R>(xt), panel, tile, [&] { ahead.fetch(); });
  tile.store(sums, V * kWidth, kWidth);
}

/// How many neighbours are summed in registers before their sum goes to memory: a whole branch of the tree of
/// sums, of as many rows as share a piece of the panel.
std::size_t leaves_together(std::span<const Leaf> leaves) {
  std::int64_t longest = 1;
  for (const Leaf& leaf : leaves) longest = std::max(longest, leaf.rows);
  std::size_t together = 1;
  while (static_cast<std::int64_t>(2 * together) * longest <= kManyRows) together *= 2;
  return together;
}

/// As gradient_tile for all tiles of a block of `count` rows: leaves are so long that a piece of the panel
/// serves every tile before the next piece is read. `room`: (levels of the tree + 1, kGradientBlock *
/// kPanel).
template <int V>
void gradient_block(std::span<const Leaf> leaves, std::int64_t all_rows, const float* xt, const float* panel,
                    std::int64_t count, float* g, std::int64_t units, int last, float* room) {
  constexpr std::int64_t kLevel = kGradientBlock * kPanel;
  const std::int64_t floats = count * V * kWidth;
  float* sums = room;
  int depth = 0;
  std::int64_t done = 0;
  const std::size_t together = leaves_together(leaves);
  const std::int64_t stride = packed_rows(all_rows);
  for (std::size_t s = 0; s < leaves.size(); s += together) {
    const std::span<const Leaf> group = leaves.subspan(s, std::min(together, leaves.size() - s));
    const std::int64_t group_rows = rows_of(group);
    if (together > 1) {
      for_tiles(0, count, [&]<int R>(std::int64_t i) {
        tile_of<R, V>(group)(group, {xt + i * stride + done * R, 0, R}, panel + done * V * kWidth,
                             sums + i * V * kWidth, V * kWidth, kWidth, nullptr);
      });
    } else if (group_rows == 0) {
      std::fill_n(sums, floats, 0.0F);
    }
    for (std::int64_t r = 0; together == 1 && r < group_rows; r += kManyRows) {
      const std::int64_t rows = std::min(kManyRows, group_rows - r);
      const std::int64_t looks_a_row =
          std::max<std::int64_t>(1, count / kRows);  // of each tile every kUnroll rows
      const std::int64_t lines_a_look = parts(kUnroll * V * kWidth / kLine, looks_a_row);
      Ahead ahead = Ahead::range(panel + (done + r + rows) * V * kWidth, rows * V * kWidth, lines_a_look);
      for_tiles(0, count, [&]<int R>(std::int64_t i) {
        gradient_chunk<R, V>(rows, xt + i * stride + (done + r) * R, panel + (done + r) * V * kWidth,
                             sums + i * V * kWidth, r > 0, ahead);
      });
    }
    done += group_rows;
    const bool is_last = s + together >= leaves.size();
    const int closed = is_last ? depth : __builtin_ctzll(~static_cast<unsigned long long>(s / together));
    for (int level = 0; level < closed; ++level) {
      const float* left = room + depth-- * kLevel;
      for (std::int64_t i = 0; i < floats; ++i) sums[i] = left[i] + sums[i];
    }
    if (!is_last) std::copy_n(sums, floats, room + ++depth * kLevel);
  }
  const std::int64_t columns = (V - 1) * kWidth + last;
  for (std::int64_t i = 0; i < count; ++i) std::copy_n(sums + i * V * kWidth, columns, g + i * units);
}

/// `room`: gradient_room() floats. A panel of dz serves a block of rows of g while it is in the second-level
/// cache.
void gradient_rows_lanes(std::span<const Leaf> leaves, std::int64_t inputs, std::int64_t units,
                         const float* panels, std::int64_t begin, std::int64_t end, float* room, float* g,
                         const float* updated) {
  if (units <= kFewOutputs) return gradient_rows_narrow(leaves, inputs, units, panels, begin, end, g);
  const std::int64_t all_rows = rows_of(leaves);
  float* xt = room + kOpenLevels * kGradientBlock * kPanel;
  const bool read_once = units <= kPanel && inputs * all_rows <= kNearFloats;
  const bool in_place = (inputs <= kNarrow || read_once) && all_rows <= kManyRows;
  for (std::int64_t block = begin; block < end; block += kGradientBlock) {
    const std::int64_t count = std::min(kGradientBlock, end - block);
    if (!in_place) pack_columns_of_x(leaves, inputs, block, block + count, all_rows, xt);
    float* g_block = g + (block - begin) * units;
    const float* updated_block = updated == nullptr ? nullptr : updated + (block - begin) * units;
    const float* panel = panels;
    for_gradient_panels(leaves, units, [&](std::int64_t j, std::int64_t columns) {
      with_vectors(columns, [&]<int V>(int last) {
        if (all_rows > kManyRows)
          return gradient_block<V>(leaves, all_rows, xt, panel, count, g_block + j, units, last, room);
        for_tiles(0, count, [&]<int R>(std::int64_t i) {
          const Columns columns_of_x =
              in_place ? Columns{nullptr, block + i, inputs} : Columns{xt + i * packed_rows(all_rows), 0, R};
          tile_of<R, V>(leaves)(leaves, columns_of_x, panel, g_block + i * units + j, units, last,
                                updated == nullptr ? nullptr : updated_block + i * units + j);
        });
      });
      panel += all_rows * padded(columns);
    });
  }
}

std::int64_t gradient_room(std::int64_t all_rows) {
  return kOpenLevels * kGradientBlock * kPanel + packed_rows(all_rows) * kGradientBlock;
}

Functions functions_of_lanes() {
  return {Lanes::kName,   kPanel, multiply_lanes, multiply_transposed_lanes,
          scratch_floats, pack,   gradient_room,  gradient_rows_lanes};
}

}  // namespace
}  // namespace nntrain::chain
