#pragma once
// The digests of a checkpoint (docs/checkpoint-format.md, "Digests").

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/sha256.h"

namespace nntrain::checkpoint {

/// How the digest of the payload is made; the file says it as `digest_rule`. 1, the rule of files that say
/// nothing, is one hash over all bytes; 2 hashes each array by itself, so that several cores can, and joins
/// the hashes.
constexpr int kDigestRule = 2;

struct Digests {
  std::string weights;
  std::string payload;
};

/// What rule 2 takes in place of the arrays: SHA-256 of each, in hex.
struct ArrayDigests {
  std::string weights;
  std::vector<std::vector<std::string>> slots;  ///< array by array
  std::vector<std::string> kept;                ///< set by set
};

/// Adds the bytes of array `index` to a hash. Arrays are counted in the order of each_field: weights, slots,
/// kept weights. Called by several threads, for different arrays.
using AddArray = std::function<void(std::size_t index, Sha256& sha)>;

/// The arrays' values are what `add_array` gives; those of `contents` are not looked at, only how many there
/// are.
ArrayDigests array_digests(const Contents& contents, const AddArray& add_array);
/// The same of the values in memory.
ArrayDigests array_digests(const Contents& contents);
/// Both digests, by kDigestRule: of `arrays` and of all else in `contents`.
Digests digests_of(const Contents& contents, const ArrayDigests& arrays);

/// The values of `contents`, array by array in the order of AddArray.
std::vector<const std::vector<float>*> arrays_of(const Contents& contents);

/// SHA-256 over everything in `contents` that decides how a run goes on.
std::string payload_digest(const Contents& contents, int rule = kDigestRule);

}  // namespace nntrain::checkpoint
