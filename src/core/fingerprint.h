#pragma once
// Hashes whose values are part of a model: Keras' Hashing layer must give the same bin here as there.

#include <array>
#include <cstdint>
#include <string_view>

namespace nntrain {

/// FarmHash Fingerprint64 (Pike 2014, https://github.com/google/farmhash, MIT): TensorFlow's
/// to_hash_bucket_fast. Pure.
std::uint64_t farm_fingerprint(std::string_view text);

/// SipHash-2-4 (Aumasson and Bernstein 2012): TensorFlow's to_hash_bucket_strong. Pure.
std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& key, std::string_view text);

/// Both of a number's decimal digits, as TensorFlow hashes integers.
std::uint64_t farm_fingerprint(std::int64_t number);
std::uint64_t sip_hash(const std::array<std::uint64_t, 2>& key, std::int64_t number);

}  // namespace nntrain
