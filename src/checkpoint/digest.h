#pragma once
// The digests of a checkpoint (docs/checkpoint-format.md, "Digests").

#include <cstddef>
#include <functional>
#include <string>

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

/// Adds the bytes of array `index` to a hash. Arrays are counted in the order of each_field: weights, slots,
/// kept weights. Called by several threads, for different arrays.
using AddArray = std::function<void(std::size_t index, Sha256& sha)>;

/// Both digests, by kDigestRule. The arrays' values are what `add_array` gives; those of `contents` are not
/// looked at, only how many there are.
Digests digests_of(const Contents& contents, const AddArray& add_array);
/// The same of the values in memory.
Digests digests_of(const Contents& contents);

/// SHA-256 over everything in `contents` that decides how a run goes on.
std::string payload_digest(const Contents& contents, int rule = kDigestRule);

}  // namespace nntrain::checkpoint
