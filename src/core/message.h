#pragma once
// Messages as they are printed.

#include <string>
#include <string_view>

namespace nntrain {

/// Messages quote what the user gave; of one that became absurdly long the beginning and the end are left.
inline std::string readable_message(std::string_view message) {
  constexpr std::size_t kFirst = 1500, kLast = 500;
  if (message.size() <= 2 * (kFirst + kLast)) return std::string(message);
  return std::string(message.substr(0, kFirst)) + " ... (" + std::to_string(message.size() - kFirst - kLast) +
         " characters left out) ... " + std::string(message.substr(message.size() - kLast));
}

}  // namespace nntrain
