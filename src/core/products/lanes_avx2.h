#pragma once
// 8 floats in a register of AVX2 with FMA.

#include <immintrin.h>

#include <cstdint>

namespace nntrain::chain {

struct Avx2Lanes {
  using Vector = __m256;
  static constexpr const char* kName = "AVX2";
  static constexpr int kWidth = 8;
  static constexpr int kTileRows = 4, kTileVectors = 3;  ///< 12 of 16 registers hold sums
  static constexpr int kWideRows = 6, kTallRows = 8;     ///< broadcast kernel: sums of 2 vectors, of 1 vector
  static constexpr int kRowsInPlace =
      19;  ///< of x: with more, copied weights are read faster than weights in place
  static constexpr int kPairedRows = 0;  ///< half of these registers is too little for leaves made in pairs

  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector load_first(const float* p, int count) {
    return count == kWidth ? load(p) : _mm256_maskload_ps(p, mask(count));
  }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static void store_first(float* p, Vector v, int count) {
    if (count == kWidth) {
      store(p, v);
    } else {
      _mm256_maskstore_ps(p, mask(count), v);
    }
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static void fetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1); }
  static void fetch_to_write(const float* p) { __builtin_prefetch(p, 1, 2); }

  /// (8, 8) = its transpose.
  static void transpose(Vector (&r)[8]) {
    __m256 t[8];
    for (int i = 0; i < 4; ++i) {
      t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
      t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 2; ++i) {
      r[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
      r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
      r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
      r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }

 private:
  static __m256i mask(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace nntrain::chain
