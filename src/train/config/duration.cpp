// How long, as Slurm's users write it; and how many bytes.

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "train/config/settings.h"

namespace nntrain::train {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

/// A decimal number without sign, exponent or words; from_chars would take "inf" and "1e9".
std::optional<double> digits(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

double parse_duration(const std::string& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  std::string lower = text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
  for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (lower == "unlimited" || lower == "infinite") return std::numeric_limits<double>::infinity();
  const auto refuse = [&](const std::string& why) -> double {
    throw InputError("\"" + text + "\" is no duration" + why +
                     "; write H:MM:SS, e.g. 3:50:00, D-HH:MM:SS, minutes, or UNLIMITED");
  };
  const std::size_t dash = lower.find('-');
  const std::string days = dash == std::string::npos ? "" : lower.substr(0, dash);
  std::vector<std::string> fields = split(dash == std::string::npos ? lower : lower.substr(dash + 1), ':');
  if (fields.size() > 3) return refuse("");
  // As Slurm reads them: D-H, D-H:M, D-H:M:S; without days M, M:S, H:M:S.
  const std::size_t first = dash == std::string::npos && fields.size() < 3 ? 1 : 0;
  constexpr std::array<double, 3> kSeconds = {3600, 60, 1};
  double seconds = dash == std::string::npos ? 0 : 86400 * digits(days).value_or(std::nan(""));
  for (std::size_t i = 0; i < fields.size(); ++i)
    seconds += kSeconds.at(first + i) * digits(fields[i]).value_or(std::nan(""));
  if (!std::isfinite(seconds)) return refuse("");
  if (seconds == 0) return refuse(" to run for: it leaves no time");
  return seconds;
}

std::int64_t parse_size(const std::string& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string unit = text.substr(std::min(text.find_first_not_of(' ', end), text.size()));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto drop = [&](char last) {
    const bool there = !unit.empty() && unit.back() == last;
    if (there) unit.pop_back();
    return there;
  };
  drop('B');
  const double base = drop('I') ? 1024.0 : 1000.0;
  const std::size_t power = unit.empty() ? 0 : std::string(" KMGT").find(unit);
  const std::optional<double> number = digits(text.substr(0, end));
  if (number && power != std::string::npos && unit != " ") {
    const double bytes = *number * std::pow(base, static_cast<double>(power));
    if (bytes >= 1 && bytes < 9e18) return static_cast<std::int64_t>(bytes);
  }
  throw InputError("\"" + text + "\" is no size; 512MB, 4GB (powers of 1000) or 4GiB (of 1024) is expected");
}

}  // namespace nntrain::train
