#pragma once
// Counter-based randomness: every random number is a pure function of (seed, purpose, a, b), so it does
// not depend on how many ranks draw, nor in which order.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.

#include <array>
#include <cstdint>
#include <span>

namespace nntrain {

/// What a number is drawn for; keeps streams apart. Layers and variables add their index.
enum class Purpose : std::uint32_t { kShuffle = 1, kInitializer = 2, kDropout = 3, kNoise = 4, kTest = 5 };

/// One Philox4x32-10 block.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// A stream for one (seed, purpose, index). `index`: the layer or variable.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t index);

  /// Four 32-bit words for the position (major, block): e.g. major = step and row, block = element / 4.
  std::array<std::uint32_t, 4> block(std::uint64_t major, std::uint32_t block) const;
  /// Uniform in [0, 1), 24 bits, of element `element` at `major`.
  float uniform(std::uint64_t major, std::uint64_t element) const;
  /// Standard normal (Box-Muller on words 0,1 or 2,3 of a block), in float64 and by plain arithmetic: its
  /// bits depend on no C library.
  double normal(std::uint64_t major, std::uint64_t element) const;
  /// The words of elements `first` (a multiple of 4) and on, and the normals of elements 0 and on: the same
  /// numbers, many at a time.
  void words(std::uint64_t major, std::uint64_t first, std::span<std::uint32_t> values) const;
  void normals(std::uint64_t major, std::span<double> values) const;
  /// Standard normal truncated to [-2, 2] by redrawing (at most 64 times), as Keras' truncated_normal.
  double truncated_normal(std::uint64_t major, std::uint64_t element) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t tag_;
};

/// Uniform [0, 1) with 24 bits from one word.
inline float to_uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1.0p-24F; }

}  // namespace nntrain
