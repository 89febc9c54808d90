#include "cli/ini.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <map>
#include <sstream>
#include <vector>

#include "core/error.h"

namespace nntrain::cli {

namespace po = boost::program_options;

namespace {

/// Boost cuts a line at its first `#` wherever it stands: those that belong to a value travel as this.
constexpr char kHashStandIn = '\x01';

po::options_description described_keys() {
  po::options_description options;
  for (const train::Key& key : train::keys())
    options.add_options()(key.name.c_str(), po::value<std::vector<std::string>>()->composing(), "");
  return options;
}

/// Where the comment of a line begins; its length when there is none. A `#` in "a #b" begins none.
std::size_t comment_start(std::string_view line) {
  std::size_t quotes = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') ++quotes;
    if (line[i] != '#' || (i > 0 && line[i - 1] != ' ' && line[i - 1] != '\t')) continue;
    const bool quoted = quotes % 2 == 1 && line.find('"', i) != std::string_view::npos;
    if (!quoted) return i;
  }
  return line.size();
}

/// One kind of line end: also what old Macintosh editors write.
std::string with_newlines(std::string_view text) {
  std::string lines;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!pair) lines += text[i] == '\r' ? '\n' : text[i];
  }
  return lines;
}

/// The text without byte order mark and comments, line by line, as Boost is to see it.
std::string without_comments(std::string_view text, Hash hash) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::istringstream lines(with_newlines(text));
  std::string line, clean;
  while (std::getline(lines, line)) {
    clean += line.substr(0, hash == Hash::kComment ? comment_start(line) : line.size());
    clean += '\n';
  }
  std::replace(clean.begin(), clean.end(), '#', kHashStandIn);
  return clean;
}

std::string with_hashes(std::string text) {
  std::replace(text.begin(), text.end(), kHashStandIn, '#');
  return text;
}

/// Line numbers of each "section.key" in the order they stand, for messages: Boost does not tell them.
std::map<std::string, std::vector<int>> line_numbers(const std::string& text) {
  std::map<std::string, std::vector<int>> lines;
  std::istringstream stream(text);
  std::string line;
  std::string section;
  for (int number = 1; std::getline(stream, line); ++number) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    if (line[first] == '[') {
      section = line.substr(first + 1, line.find(']') - first - 1) + ".";
      continue;
    }
    std::string key = line.substr(first, line.find('=') - first);
    key.erase(key.find_last_not_of(" \t") + 1);
    lines[section + key].push_back(number);
  }
  return lines;
}

int first_bad_line(const std::string& text, const std::string& bad) {
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find(bad) != std::string::npos) return number;
  }
  return 0;
}

}  // namespace

void read_ini(const std::string& text, const std::string& origin, Hash hash,
              train::Configuration& configuration) {
  static const po::options_description options = described_keys();
  const std::string clean = without_comments(text, hash);
  std::istringstream stream(clean);
  po::parsed_options parsed(&options);
  try {
    parsed = po::parse_config_file(stream, options, true);
  } catch (const po::invalid_config_file_syntax& error) {
    const int line = first_bad_line(clean, error.tokens());
    throw InputError(fmt::format("{}:{}: \"{}\" is neither [section] nor key = value", origin, line,
                                 with_hashes(error.tokens())));
  } catch (const po::error& error) {
    throw InputError(origin + ": " + error.what());
  }
  std::map<std::string, std::vector<int>> lines = line_numbers(clean);
  std::map<std::string, std::size_t> seen;
  for (const po::option& option : parsed.options) {
    const std::vector<int>& numbers = lines[option.string_key];
    const std::size_t occurrence = seen[option.string_key]++;
    const std::string where =
        occurrence < numbers.size() ? fmt::format("{}:{}", origin, numbers[occurrence]) : origin;
    train::known_key(with_hashes(option.string_key), where);
    configuration.add(option.string_key,
                      {option.value.empty() ? "" : with_hashes(option.value.front()), where});
  }
}

}  // namespace nntrain::cli
