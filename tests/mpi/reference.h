#pragma once
// The tree of sums, written out once more and without cleverness, and numbers whose sum depends on the order.

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "comm/exchange/rank_exchange.h"

namespace nntrain::mpi_test {

struct Unrounded {
  template <class T>
  T operator()(T sum) const {
    return sum;
  }
};

/// Sum over shards [begin, end) of [0, shards), halved at aligned places; round() is applied to each sum of
/// two.
template <class T, class Leaf, class Round = Unrounded>
T reference_sum(int begin, int width, int shards, const Leaf& leaf, const Round& round = {}) {
  if (width == 1) return leaf(begin);
  const int middle = begin + width / 2;
  const T left = reference_sum<T>(begin, width / 2, shards, leaf, round);
  if (middle >= shards) return left;
  return round(left + reference_sum<T>(middle, width / 2, shards, leaf, round));
}

template <class T, class Leaf, class Round = Unrounded>
T reference_sum(int shards, const Leaf& leaf, const Round& round = {}) {
  return reference_sum<T>(0, static_cast<int>(std::bit_ceil(static_cast<unsigned>(shards))), shards, leaf,
                          round);
}

inline std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Both signs, magnitudes over twelve binary orders: almost every sum of three rounds.
inline double leaf_value(int step, int shard, std::int64_t element) {
  const std::uint64_t bits =
      mix(mix(static_cast<std::uint64_t>(element) * 2654435761U + static_cast<std::uint64_t>(shard)) +
          static_cast<std::uint64_t>(step) * 0x9e3779b97f4a7c15ULL);
  const double mantissa = static_cast<double>(bits >> 11) / 9007199254740992.0 + 0.5;
  return std::ldexp((bits & 1U) != 0 ? mantissa : -mantissa, static_cast<int>(bits >> 1 & 15U) % 13 - 6);
}

/// A flat array with gaps, one-element variables, variables that are cut and one that must not be.
inline comm::ExchangeOptions test_options(int shards) {
  comm::ExchangeOptions options;
  options.shards = shards;
  options.trainables = {
      {0, 3000, true}, {3008, 1, true}, {3024, 2500, false}, {5536, 64, true}, {5600, 5000, true}};
  options.trainable_floats = 10608;
  options.total_floats = options.trainable_floats + 100;
  return options;
}

}  // namespace nntrain::mpi_test
