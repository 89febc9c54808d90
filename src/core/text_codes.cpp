#include "core/text_codes.h"

#include "core/fingerprint.h"

namespace nntrain {

float bucket_code(const TextCodes& codes, std::string_view word) {
  if (codes.buckets == 1) return -1;
  const std::uint64_t hash = codes.salt ? sip_hash(*codes.salt, word) : farm_fingerprint(word);
  return static_cast<float>(-1 - static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(codes.buckets)));
}

}  // namespace nntrain
