#include "core/past_caches.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nntrain {

#if defined(__x86_64__)

void copy_past_caches(const float* from, std::int64_t count, float* to) {
  constexpr std::int64_t kLine = 16, kVector = 4;  // floats; a line that is written in parts goes in parts
  const auto misplaced =
      static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) / sizeof(float) % kLine);
  std::int64_t i = std::min(count, (kLine - misplaced) % kLine);
  std::copy_n(from, i, to);
  for (; i + kLine <= count; i += kLine) {
    for (std::int64_t j = i; j < i + kLine; j += kVector) _mm_stream_ps(to + j, _mm_loadu_ps(from + j));
  }
  std::copy_n(from + i, count - i, to + i);
}

void finish_past_caches() { _mm_sfence(); }

#else

void copy_past_caches(const float* from, std::int64_t count, float* to) { std::copy_n(from, count, to); }
void finish_past_caches() {}

#endif

}  // namespace nntrain
