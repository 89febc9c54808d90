#include "core/call.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/message.h"

namespace nntrain {

namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

/// Recursive descent over one value; depth is bounded because configurations are untrusted.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Json value(int depth = 0) {
    if (depth > 32) fail("is nested too deeply");
    skip_space();
    if (at_end()) fail("is empty where a value is expected");
    const char c = text_[position_];
    if (c == '"' || c == '\'') return quoted();
    if (c == '(' || c == '[') return list(c == '(' ? ')' : ']', depth);
    if (c == '{') return object(depth);
    const Json first = starts_number() ? number() : word(depth);
    return first.is_number() ? sum(first) : first;
  }

  std::vector<Json> items() {
    std::vector<Json> all;
    skip_space();
    while (!at_end()) {
      all.push_back(value());
      skip_space();
      if (at_end()) break;
      expect(',');
      skip_space();
    }
    return all;
  }

  void finish() {
    skip_space();
    if (at_end()) return;
    fail("has an unexpected \"" + std::string(1, text_[position_]) + "\"" +
         (peek('#') ? " (white space before it would begin a comment)" : ""));
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  bool peek(char c) const { return !at_end() && text_[position_] == c; }
  void skip_space() {
    while (!at_end() && std::isspace(static_cast<unsigned char>(text_[position_])) != 0) ++position_;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(printable("\"" + shortened(text_, kShownBytes) + "\" " + what + " at character " +
                               std::to_string(position_ + 1) + nearby()));
  }
  /// The place in a text that is too long to be shown.
  std::string nearby() const {
    if (text_.size() <= kShownBytes) return "";
    const std::size_t from = position_ < 20 ? 0 : position_ - 20;
    return ", near \"" + std::string(text_.substr(from, 40)) + "\"";
  }
  void expect(char c) {
    skip_space();
    if (!peek(c)) {
      fail(at_end() ? "ends where \"" + std::string(1, c) + "\" is expected (is a bracket left open?)"
                    : "has \"" + std::string(1, text_[position_]) + "\" where \"" + std::string(1, c) +
                          "\" is expected");
    }
    ++position_;
  }

  bool starts_number() const {
    std::size_t p = position_;
    if (text_[p] == '-' || text_[p] == '+') ++p;
    if (p < text_.size() && text_[p] == '.') ++p;
    return p < text_.size() && std::isdigit(static_cast<unsigned char>(text_[p])) != 0;
  }

  Json number() {
    const std::size_t start = position_ + (text_[position_] == '+' ? 1 : 0);
    if (const std::optional<Json> grouped = grouped_digits(start)) return *grouped;
    const char* first = text_.data() + start;
    const char* last = text_.data() + text_.size();
    double real = 0;
    const auto [real_end, real_error] = std::from_chars(first, last, real);
    std::int64_t whole = 0;
    const auto [whole_end, whole_error] = std::from_chars(first, last, whole);
    if (real_error != std::errc() || !std::isfinite(real)) fail("has a number out of range");
    position_ = static_cast<std::size_t>(real_end - text_.data());
    if (!at_end() && is_word(text_[position_])) {  // "2nd": a word after all
      position_ = start;
      return bare_word();
    }
    if (whole_error == std::errc() && whole_end == real_end) return whole;
    return real;
  }

  /// Python's 1_500; nothing when there is no underscore between digits.
  std::optional<Json> grouped_digits(std::size_t start) {
    std::string digits;
    std::size_t p = start;
    for (; p < text_.size() && (is_digit(text_[p]) || text_[p] == '_' || (p == start && text_[p] == '-'));
         ++p) {
      if (text_[p] != '_') digits += text_[p];
    }
    if (digits.size() == p - start || digits.size() > 18 || !is_digit(text_[p - 1]) ||
        (p < text_.size() && is_word(text_[p])))
      return std::nullopt;
    position_ = p;
    return std::stoll(digits);
  }

  /// `first` and what follows of a sum of products of numbers: 1/255, 100*15, 1 - 0.04.
  Json sum(const Json& first) {
    Json total = product(first);
    for (skip_space(); peek('+') || peek('-'); skip_space()) {
      const char sign = text_[position_++];
      total = combined(total, sign, product(factor()));
    }
    return total;
  }
  Json product(Json left) {
    for (skip_space(); peek('*') || peek('/'); skip_space()) {
      const char sign = text_[position_++];
      left = combined(left, sign, factor());
    }
    return left;
  }
  Json factor() {
    skip_space();
    if (at_end() || !starts_number()) fail("has no number where one is expected");
    Json next = number();
    if (!next.is_number()) fail("has a word where a number is expected,");
    return next;
  }
  /// Whole numbers stay whole, except where they are divided, as in Python.
  Json combined(const Json& a, char sign, const Json& b) {
    const double x = a.get<double>(), y = b.get<double>();
    if (sign == '/' && y == 0) fail("divides by zero");
    const double value = sign == '+' ? x + y : sign == '-' ? x - y : sign == '*' ? x * y : x / y;
    if (!std::isfinite(value)) fail("has a number out of range");
    const bool whole =
        a.is_number_integer() && b.is_number_integer() && sign != '/' && std::abs(value) < 9e15;
    return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
  }

  Json quoted() {
    const char quote = text_[position_++];
    std::string content;
    while (!at_end() && text_[position_] != quote) {
      if (text_[position_] == '\\' && position_ + 1 < text_.size()) ++position_;
      content += text_[position_++];
    }
    expect(quote);
    return content;
  }

  std::string bare_word() {
    const std::size_t start = position_;
    while (!at_end() && is_word(text_[position_])) ++position_;
    if (position_ == start) fail("has an unexpected \"" + std::string(1, text_[start]) + "\"");
    return std::string(text_.substr(start, position_ - start));
  }

  Json word(int depth) {
    bool negative = false;
    if (peek('-')) {
      negative = true;
      ++position_;
    }
    const std::string name = bare_word();
    if (name == "inf" || name == "nan" || negative) fail("has a word where a number is expected,");
    if (name == "True" || name == "true") return true;
    if (name == "False" || name == "false") return false;
    if (name == "None" || name == "null") return nullptr;
    skip_space();
    if (!peek('(')) return name;
    return call(name, depth);
  }

  Json call(const std::string& name, int depth) {
    expect('(');
    Json arguments = Json::array();
    Json config = Json::object();
    for (skip_space(); !peek(')'); skip_space()) {
      const std::size_t start = position_;
      std::string key;
      if (!at_end() && is_word(text_[position_]) && !starts_number()) {
        key = bare_word();
        skip_space();
        if (!peek('=')) key.clear();
      }
      if (key.empty()) {
        position_ = start;
        if (!config.empty()) fail("has a positional argument after a named one");
        arguments.push_back(value(depth + 1));
      } else {
        ++position_;
        if (config.contains(key)) fail("gives the argument \"" + shortened(key) + "\" twice");
        config[key] = value(depth + 1);
      }
      skip_space();
      if (!peek(')')) expect(',');
    }
    expect(')');
    Json result = {{"class_name", name}, {"args", std::move(arguments)}, {"config", std::move(config)}};
    return result;
  }

  Json list(char close, int depth) {
    ++position_;
    Json items = Json::array();
    bool comma = false;
    for (skip_space(); !peek(close); skip_space()) {
      items.push_back(value(depth + 1));
      skip_space();
      comma = peek(',');
      if (!peek(close)) expect(',');
    }
    expect(close);
    if (close == ')' && items.size() == 1 && !comma) return items[0];  // (5) is 5, (5,) is a tuple
    return items;
  }

  Json object(int depth) {
    ++position_;
    Json items = Json::object();
    for (skip_space(); !peek('}'); skip_space()) {
      const Json key = value(depth + 1);
      expect(':');
      items[key.is_string() ? key.get<std::string>() : json_text(key)] = value(depth + 1);
      skip_space();
      if (!peek('}')) expect(',');
    }
    expect('}');
    return items;
  }

  static constexpr std::size_t kShownBytes = 400;
  std::string_view text_;
  std::size_t position_ = 0;
};

template <class Number>
std::string shortest(Number value) {
  std::array<char, 40> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

/// As Python writes it. A float32 that was widened is shown as the float32 it was: 0.1, not
/// 0.10000000149011612.
std::string python_number(double value) {
  std::string text = shortest(value);
  const auto narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) == value) {
    if (const std::string short_text = shortest(narrow); short_text.size() < text.size()) text = short_text;
  }
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

Json parse_call(std::string_view text) {
  Parser parser(text);
  Json value = parser.value();
  parser.finish();
  return value;
}

std::vector<Json> parse_call_list(std::string_view text) { return Parser(text).items(); }

std::string format_call(const Json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_number_float()) return python_number(value.get<double>());
  if (value.is_string()) return json_text(value);
  if (value.is_array()) {
    std::string text = "[";
    for (const Json& item : value) text += (text.size() > 1 ? ", " : "") + format_call(item);
    return text + "]";
  }
  if (!value.is_object()) return json_text(value);
  if (!value.contains("class_name") || !value["class_name"].is_string()) {
    std::string text = "{";
    for (const auto& [key, item] : value.items()) {
      text += (text.size() > 1 ? ", " : "") + json_text(key) + ": " + format_call(item);
    }
    return text + "}";
  }
  std::string text = value["class_name"].get<std::string>() + "(";
  const std::size_t open = text.size();
  if (value.contains("args")) {
    for (const Json& item : value["args"]) text += (text.size() > open ? ", " : "") + format_call(item);
  }
  if (value.contains("config") && value["config"].is_object()) {
    for (const auto& [key, item] : value["config"].items()) {
      text += (text.size() > open ? ", " : "") + key + "=" + format_call(item);
    }
  }
  return text + ")";
}

}  // namespace nntrain
