#pragma once
// 4 floats in a register of NEON, which every 64-bit ARM has.

#include <arm_neon.h>

#include <cstdint>

namespace nntrain::chain {

struct NeonLanes {
  using Vector = float32x4_t;
  static constexpr const char* kName = "NEON";
  static constexpr int kWidth = 4;
  static constexpr int kTileRows = 8, kTileVectors = 3;  ///< 24 of 32 registers hold sums
  static constexpr int kWideRows = 12, kTallRows = 16;
  static constexpr int kRowsInPlace = 32;  ///< of x: with more, weights are copied
  static constexpr int kPairedRows = 16;   ///< of a leaf, on average: up to here leaves are made in pairs

  static Vector zero() { return vdupq_n_f32(0.0F); }
  static Vector broadcast(const float* p) { return vld1q_dup_f32(p); }
  static Vector load(const float* p) { return vld1q_f32(p); }
  static Vector load_first(const float* p, int count) {
    float lanes[kWidth] = {};
    for (int i = 0; i < count; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
  }
  static void store(float* p, Vector v) { vst1q_f32(p, v); }
  static void store_first(float* p, Vector v, int count) {
    float lanes[kWidth];
    vst1q_f32(lanes, v);
    for (int i = 0; i < count; ++i) p[i] = lanes[i];
  }
  static Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static void fetch(const float* p) { __builtin_prefetch(p, 0, 2); }
  static void fetch_to_write(const float* p) { __builtin_prefetch(p, 1, 2); }

  /// (4, 4) = its transpose.
  static void transpose(Vector (&rows)[4]) {
    const float32x4x2_t upper = vtrnq_f32(rows[0], rows[1]);
    const float32x4x2_t lower = vtrnq_f32(rows[2], rows[3]);
    rows[0] = vcombine_f32(vget_low_f32(upper.val[0]), vget_low_f32(lower.val[0]));
    rows[1] = vcombine_f32(vget_low_f32(upper.val[1]), vget_low_f32(lower.val[1]));
    rows[2] = vcombine_f32(vget_high_f32(upper.val[0]), vget_high_f32(lower.val[0]));
    rows[3] = vcombine_f32(vget_high_f32(upper.val[1]), vget_high_f32(lower.val[1]));
  }
};

}  // namespace nntrain::chain
