#pragma once
// Messages as they are printed.

#include <string>
#include <string_view>

namespace nntrain {

/// Control characters as \x00: a NUL would end a message, others would do things to a terminal. Line breaks
/// and tabs stay.
inline std::string printable(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string shown;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code >= 0x20 && code != 0x7F) || c == '\n' || c == '\t') {
      shown += c;
    } else {
      shown += std::string("\\x") + kDigits[code / 16] + kDigits[code % 16];
    }
  }
  return shown;
}

/// Messages quote what the user gave; of one that became absurdly long the beginning and the end are left.
inline std::string readable_message(std::string_view message) {
  constexpr std::size_t kFirst = 1500, kLast = 500;
  if (message.size() <= 2 * (kFirst + kLast)) return printable(message);
  return printable(message.substr(0, kFirst)) + " ... (" + std::to_string(message.size() - kFirst - kLast) +
         " characters left out) ... " + printable(message.substr(message.size() - kLast));
}

}  // namespace nntrain
