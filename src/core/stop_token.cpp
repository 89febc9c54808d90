#include "core/stop_token.h"

namespace nntrain {

std::string stop_reasons_text(std::uint32_t reasons) {
  constexpr const char* kNames[kStopReasons] = {"SIGTERM", "SIGINT", "SIGUSR1", "the time limit",
                                                "a request"};
  std::string text;
  for (int bit = 0; bit < kStopReasons; ++bit) {
    if ((reasons >> bit & 1U) != 0) text += (text.empty() ? "" : " and ") + std::string(kNames[bit]);
  }
  return text;
}

}  // namespace nntrain
