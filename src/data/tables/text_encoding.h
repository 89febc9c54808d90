#pragma once
// Bytes of a text file as UTF-8.

#include <cstddef>
#include <string>
#include <string_view>

namespace nntrain::data {

enum class Encoding { kUtf8, kLatin1, kWindows1252, kUtf16Little, kUtf16Big };

/// "utf-8", "latin-1", ... with the usual spellings. InputError names `key`.
Encoding parse_encoding(std::string_view name, std::string_view key);
const char* encoding_name(Encoding encoding);

/// Appends `bytes` as UTF-8. Returns how many bytes were used: an odd byte at the end of UTF-16 waits.
std::size_t decode(Encoding encoding, std::string_view bytes, std::string& text);

/// How many bytes decode() made `text` of.
std::size_t encoded_bytes(Encoding encoding, std::string_view text);

/// The first byte that is not UTF-8 (overlong forms and surrogates are none either); npos: all is well.
std::size_t first_bad_byte(std::string_view text);

}  // namespace nntrain::data
