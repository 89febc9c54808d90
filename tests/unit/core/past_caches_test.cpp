#include "core/past_caches.h"

#include <gtest/gtest.h>

#include <vector>

namespace nntrain {
namespace {

TEST(PastCaches, CopiesWhatItIsGivenAndNothingBeside) {
  std::vector<float> from(200);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<float>(i) + 0.5F;
  for (std::size_t begin = 0; begin < 20; ++begin) {  // every place in a line of the cache
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<float> to(128, -1.0F), expected = to;
      std::copy_n(from.begin() + 3, count, expected.begin() + static_cast<std::ptrdiff_t>(begin));
      copy_past_caches(from.data() + 3, static_cast<std::int64_t>(count), to.data() + begin);
      finish_past_caches();
      ASSERT_EQ(to, expected) << begin << " " << count;
    }
  }
}

}  // namespace
}  // namespace nntrain
