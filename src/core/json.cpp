#include "core/json.h"

#include <cctype>
#include <vector>

#include "core/error.h"
#include "core/message.h"

namespace nntrain {

namespace {

/// Depth and width are counted in the text: nlohmann's parser takes any depth, but what copies, prints or
/// compares its values recurses.
void check_extent(std::string_view text, const std::string& what) {
  std::vector<int> members;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_text = false;
      }
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      members.push_back(0);
      if (members.size() > static_cast<std::size_t>(kDeepestJson)) {
        throw InputError(what + " is nested more than " + std::to_string(kDeepestJson) +
                         " levels deep; no model is, so the file is damaged or hostile");
      }
    } else if ((c == '}' || c == ']') && !members.empty()) {
      members.pop_back();
    } else if (c == ':' && !members.empty() && ++members.back() > kWidestJson) {
      throw InputError(what + " has an object of more than " + std::to_string(kWidestJson) +
                       " members; the file is damaged or hostile");
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  check_extent(text, what);
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw InputError(what + " is not JSON; the file is damaged");
  return json;
}

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return false;
    }
    // Overlong forms, surrogates and what lies beyond U+10FFFF (RFC 3629, 4).
    if (length == 3 && ((lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xED && byte(i + 1) > 0x9F)))
      return false;
    if (length == 4 && ((lead == 0xF0 && byte(i + 1) < 0x90) || (lead == 0xF4 && byte(i + 1) > 0x8F)))
      return false;
    i += length;
  }
  return true;
}

std::string shortened(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return printable(text);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // no half character
  return printable(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " characters)";
}

}  // namespace nntrain
