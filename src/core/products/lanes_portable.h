#pragma once
// 4 floats by std::fma, for CPUs without AVX2; compilers make vector instructions of it where the CPU has
// them.

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace nntrain::chain {

struct PortableLanes {
  using Vector = std::array<float, 4>;
  static constexpr const char* kName = "portable";
  static constexpr int kWidth = 4;
  static constexpr int kTileRows = 4, kTileVectors = 3;
  static constexpr int kWideRows = 6, kTallRows = 8;
  static constexpr int kRowsInPlace = 32;  ///< of x: with more, weights are copied
  static constexpr int kPairedRows = 16;   ///< of a leaf, on average: up to here leaves are made in pairs

  static Vector zero() { return {}; }
  static Vector broadcast(const float* p) { return {*p, *p, *p, *p}; }
  static Vector load(const float* p) { return {p[0], p[1], p[2], p[3]}; }
  static Vector load_first(const float* p, int count) {
    Vector v{};
    for (int i = 0; i < count; ++i) v[static_cast<std::size_t>(i)] = p[i];
    return v;
  }
  static void store(float* p, Vector v) { store_first(p, v, kWidth); }
  static void store_first(float* p, Vector v, int count) {
    for (int i = 0; i < count; ++i) p[i] = v[static_cast<std::size_t>(i)];
  }
  static Vector add(Vector a, Vector b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  static Vector multiply_add(Vector a, Vector b, Vector c) {
    for (std::size_t i = 0; i < a.size(); ++i) c[i] = std::fma(a[i], b[i], c[i]);
    return c;
  }
  static void fetch(const float*) {}
  static void fetch_to_write(const float*) {}

  /// (4, 4) = its transpose.
  static void transpose(Vector (&rows)[4]) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < i; ++j) std::swap(rows[i][j], rows[j][i]);
    }
  }
};

}  // namespace nntrain::chain
