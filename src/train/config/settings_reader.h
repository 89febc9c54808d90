#pragma once
// Private to the room: values of a Configuration, with origin and key before what is wrong with them.

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "core/call.h"
#include "core/error.h"
#include "train/config/settings.h"

namespace nntrain::train {

/// read(text), with origin and key before the message of an error.
template <class Read>
auto read_value(const std::string& key, const Value& value, Read&& read) {
  return with_origin(value.origin + ": " + key, [&] { return read(value.text); });
}

inline std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class Reader {
 public:
  explicit Reader(const Configuration& configuration) : configuration_(configuration) {}

  std::string text(const std::string& key) const {
    std::string value = trim(configuration_.text(key));
    const bool quoted =
        value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'');
    return quoted ? value.substr(1, value.size() - 2) : value;
  }

  /// A source may be a list, and stand in several lines.
  std::string source(const std::string& key) const {
    std::string all;
    for (const Value& value : configuration_.list(key)) {
      std::string item = trim(value.text);
      const char quote = item.empty() ? ' ' : item.front();
      const bool quoted =
          item.size() >= 2 && (quote == '"' || quote == '\'') && item.find(quote, 1) == item.size() - 1;
      if (quoted && configuration_.list(key).size() == 1) item = item.substr(1, item.size() - 2);
      all += (all.empty() ? "" : ", ") + item;
    }
    return all;
  }

  std::string raw(const std::string& key) const { return trim(configuration_.text(key)); }

  std::int64_t integer(const std::string& key, std::int64_t minimum, std::int64_t when_empty = 0) const {
    const std::string value = text(key);
    if (value.empty() || value == "None") return when_empty;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size()) {
      fail(key, "a whole number is expected, got \"" + value + "\"");
    }
    if (number < minimum) fail(key, "must be at least " + std::to_string(minimum) + ", got " + value);
    return number;
  }

  double number(const std::string& key, double minimum, double when_empty = 0) const {
    const std::string value = text(key);
    if (value.empty() || value == "None") return when_empty;
    const Json parsed = json(key);
    if (!parsed.is_number()) fail(key, "a number is expected, got \"" + value + "\"");
    if (!(parsed.get<double>() >= minimum))
      fail(key, "must be at least " + std::to_string(minimum) + ", got " + value);
    return parsed.get<double>();
  }

  bool boolean(const std::string& key, const std::string& expected = "true or false") const {
    const std::string value = text(key);
    if (value == "true" || value == "True" || value == "1" || value == "yes" || value == "on") return true;
    if (value == "false" || value == "False" || value == "0" || value == "no" || value == "off") return false;
    fail(key, expected + (" is expected, got \"" + value + "\""));
  }

  std::string choice(const std::string& key, const std::vector<std::string>& choices) const {
    const std::string value = text(key);
    std::string list;
    for (const std::string& option : choices) {
      if (option == value) return value;
      list += (list.empty() ? "" : ", ") + option;
    }
    fail(key, "\"" + value + "\" is none of: " + list);
  }

  Json json(const std::string& key) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)},
                      [](const std::string& value) { return parse_call(value); });
  }

  std::vector<Json> json_list(const std::string& key) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)}, [](std::string value) {
      if (!value.empty() && value.front() == '[' && value.back() == ']')
        value = value.substr(1, value.size() - 2);
      return parse_call_list(value);
    });
  }

  template <class Family>
  Json canonical(const std::string& key, const Family& family) const {
    return read_value(key, {text_with_quotes(key), configuration_.origin(key)},
                      [&](const std::string& value) { return family.canonical(parse_call(value)); });
  }

  std::vector<std::string> names(const std::string& key) const {
    std::vector<std::string> all;
    const std::string value = text(key);
    std::size_t start = 0;
    while (start < value.size()) {
      const std::size_t comma = std::min(value.find(',', start), value.size());
      all.push_back(trim(value.substr(start, comma - start)));
      start = comma + 1;
    }
    return all;
  }

  /// "file:line: key", what messages about the key begin with.
  std::string origin(const std::string& key) const { return configuration_.origin(key) + ": " + key; }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw InputError(configuration_.origin(key) + ": " + key + ": " + what);
  }

 private:
  std::string text_with_quotes(const std::string& key) const { return trim(configuration_.text(key)); }

  const Configuration& configuration_;
};

/// The section [data].
DataSettings read_data(const Reader& reader);

}  // namespace nntrain::train
