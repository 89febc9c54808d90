#pragma once
// The one value type for everything a user names: numbers, strings, lists, {class_name, config}.
// Keys keep their order, as in Keras' files.

#include <stdexcept>
#include <string>
#include <string_view>

namespace nntrain::detail {
inline void expect_of_json(bool holds) {
  if (!holds) throw std::logic_error("internal: JSON without what is asked of it");
}
}  // namespace nntrain::detail
// A key that a const value lacks is an assertion of the library's, and in a release build garbage. Here it is
// an error that ends the program with its message.
#define JSON_ASSERT(condition) ::nntrain::detail::expect_of_json(static_cast<bool>(condition))
#include <nlohmann/json.hpp>

namespace nntrain {

using Json = nlohmann::ordered_json;

/// Parses untrusted JSON. Throws InputError that begins with `what` ("\"run.h5\": model_config") when the
/// text is not JSON, is nested deeper than kDeepestJson (copying a value recurses) or has an object of more
/// than kWidestJson members (looking for a key is linear).
Json parse_json(std::string_view text, const std::string& what);
constexpr int kDeepestJson = 200;
constexpr int kWidestJson = 20000;

/// Compact JSON text of any value; bytes that are not UTF-8 (names of files may hold any) become U+FFFD,
/// where dump() would throw.
std::string json_text(const Json& value);

/// Is it UTF-8, as Keras, JSON and HDF5 want their names?
bool is_utf8(std::string_view text);

/// `text` for a message: whole up to `longest` bytes, else its beginning and its length.
std::string shortened(std::string_view text, std::size_t longest = 120);

}  // namespace nntrain
