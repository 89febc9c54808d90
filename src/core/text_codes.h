#pragma once
// Text as inputs of a model. Whoever reads a table gives each word a code, a float32 that a batch can hold;
// the model's first layer makes an index of it. What lies between both is here.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain {

/// What a layer wants to know of each word.
struct TextCodes {
  std::string layer;  ///< "StringLookup", for messages
  /// These words have the codes 0, 1, ...; none: to be learned from the training rows, as Keras' adapt()
  /// does.
  std::optional<std::vector<std::string>> vocabulary;
  /// A learned vocabulary has at most so many, and not this one (oov_token).
  std::int64_t most_words = std::numeric_limits<std::int64_t>::max();
  std::optional<std::string> left_out;
  /// The code of this word is kMaskCode.
  std::optional<std::string> mask;
  /// Words beyond: -1 - bucket, by FarmHash, with salt by SipHash; 0: there must be none.
  std::int64_t buckets = 1;
  std::optional<std::array<std::uint64_t, 2>> salt;
};

/// Places and buckets are below it: float32 holds them all.
inline constexpr std::int64_t kMostTextCodes = std::int64_t{1} << 24;
inline constexpr float kMaskCode = static_cast<float>(kMostTextCodes);

/// Of a word that is neither the mask nor in the vocabulary; buckets > 0. Pure.
float bucket_code(const TextCodes& codes, std::string_view word);
/// The bucket of a code below 0.
inline std::int64_t bucket_of(float code) { return -1 - static_cast<std::int64_t>(code); }

}  // namespace nntrain
