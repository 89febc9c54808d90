#include "data/tables/text_encoding.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "core/error.h"

namespace nntrain::data {

namespace {

/// 0x80 .. 0x9F of Windows-1252; 0 where it has no character.
constexpr std::array<std::uint16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void append(std::uint32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  if (code < 0x800) {
    text += static_cast<char>(0xC0U | code >> 6U);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0U | code >> 12U);
    text += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
  } else {
    text += static_cast<char>(0xF0U | code >> 18U);
    text += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
    text += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
  }
  text += static_cast<char>(0x80U | (code & 0x3FU));
}

std::size_t decode_utf16(bool big, std::string_view bytes, std::string& text) {
  const auto unit = [&](std::size_t at) -> std::uint32_t {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return big ? first * 256U + second : second * 256U + first;
  };
  std::size_t at = 0;
  while (at + 2 <= bytes.size()) {
    const std::uint32_t code = unit(at);
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (high && at + 4 > bytes.size()) break;
    if (high) {
      append(0x10000 + ((code - 0xD800) << 10U) + (unit(at + 2) - 0xDC00) % 0x400, text);
      at += 2;
    } else {
      append(code >= 0xDC00 && code < 0xE000 ? 0xFFFD : code, text);
    }
    at += 2;
  }
  return at;
}

}  // namespace

Encoding parse_encoding(std::string_view name, std::string_view key) {
  std::string plain;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == ' ') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (plain == "utf8" || plain == "utf8sig" || plain == "ascii") return Encoding::kUtf8;
  if (plain == "latin1" || plain == "iso88591" || plain == "iso885915" || plain == "l1")
    return Encoding::kLatin1;
  if (plain == "windows1252" || plain == "cp1252" || plain == "ansi") return Encoding::kWindows1252;
  if (plain == "utf16" || plain == "utf16le") return Encoding::kUtf16Little;
  if (plain == "utf16be") return Encoding::kUtf16Big;
  throw InputError(fmt::format("{} = {} is none of auto, utf-8, latin-1, windows-1252, utf-16", key, name));
}

const char* encoding_name(Encoding encoding) {
  switch (encoding) {
    case Encoding::kLatin1:
      return "latin-1";
    case Encoding::kWindows1252:
      return "windows-1252";
    case Encoding::kUtf16Little:
      return "utf-16le";
    case Encoding::kUtf16Big:
      return "utf-16be";
    case Encoding::kUtf8:
      break;
  }
  return "utf-8";
}

std::size_t decode(Encoding encoding, std::string_view bytes, std::string& text) {
  switch (encoding) {
    case Encoding::kUtf8:
      text += bytes;
      return bytes.size();
    case Encoding::kUtf16Little:
      return decode_utf16(false, bytes, text);
    case Encoding::kUtf16Big:
      return decode_utf16(true, bytes, text);
    default:
      break;
  }
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool special = encoding == Encoding::kWindows1252 && byte >= 0x80 && byte < 0xA0;
    const std::uint16_t code = special ? kWindows1252[byte - 0x80U] : byte;
    append(code == 0 && special ? 0xFFFD : code, text);
  }
  return bytes.size();
}

std::size_t encoded_bytes(Encoding encoding, std::string_view text) {
  if (encoding == Encoding::kUtf8) return text.size();
  std::size_t characters = 0, pairs = 0;  // beyond 16 bits: two units of UTF-16
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    characters += (byte & 0xC0U) != 0x80;
    pairs += byte >= 0xF0;
  }
  const bool utf16 = encoding == Encoding::kUtf16Little || encoding == Encoding::kUtf16Big;
  return utf16 ? 2 * (characters + pairs) : characters;
}

std::size_t first_bad_byte(std::string_view text) {
  const auto byte = [&](std::size_t at) -> unsigned { return static_cast<unsigned char>(text[at]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80) return i;
    }
    const unsigned second = byte(i + 1);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace nntrain::data
