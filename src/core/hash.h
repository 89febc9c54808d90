#pragma once
// A 64-bit hash for comparing arrays that should be equal: fast, and any one flipped bit changes it. Not for
// anybody with intentions: SHA-256 is (core/sha256.h).

#include <cstddef>
#include <cstdint>
#include <span>

namespace nntrain {

/// Of the bytes and `seed`. The same on every machine of one byte order. Pure.
std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed);

}  // namespace nntrain
