// Several files as one source: lists and patterns, and the rows of all of them one after the other.

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "data/formats.h"
#include "data/python_slice.h"
#include "data/tables/columns.h"

namespace nntrain::data {

namespace {

bool is_there(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

bool names_a_file(const std::string& source) {
  return is_there(source) || !split_source(source).dataset.empty();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Numbers inside names by their value, everything else byte by byte.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, k = 0;
  while (i < a.size() && k < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[k])) {
      if (a[i] != b[k]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[k]);
      ++i;
      ++k;
      continue;
    }
    const auto number = [](const std::string& text, std::size_t& at) {
      while (at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1])) ++at;
      const std::size_t begin = at;
      while (at < text.size() && is_digit(text[at])) ++at;
      return std::string_view(text).substr(begin, at - begin);
    };
    const std::string_view first = number(a, i), second = number(b, k);
    if (first.size() != second.size()) return first.size() < second.size();
    if (first != second) return first < second;
  }
  if (i < a.size() || k < b.size()) return i == a.size();
  return a < b;  // 01 and 1
}

std::vector<std::string> matches_of(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::sort(paths.begin(), paths.end(), natural_less);
  return paths;
}

/// The files of one item of a list; empty: it is a pattern that nothing matches.
std::vector<std::string> expand(const std::string& item) {
  if (names_a_file(item) || item.find_first_of("*?[") == std::string::npos) return {item};
  if (std::vector<std::string> paths = matches_of(item); !paths.empty()) return paths;
  for (std::size_t at = item.find(':'); at != std::string::npos; at = item.find(':', at + 1)) {
    std::vector<std::string> paths = matches_of(item.substr(0, at));
    for (std::string& path : paths) path += item.substr(at);
    if (!paths.empty()) return paths;
  }
  return {};
}

std::vector<std::string> items_of(const std::string& source) {
  if (is_there(source)) return {source};
  std::string_view text = trimmed(source);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  std::vector<std::string> items;
  for (const std::string& item : split_items(text)) {
    const bool quoted =
        item.size() >= 2 && item.front() == item.back() && (item.front() == '"' || item.front() == '\'');
    items.push_back(quoted ? item.substr(1, item.size() - 2) : item);
  }
  // "x.h5:/a, b" may name the dataset "a, b".
  const bool all_there = std::all_of(items.begin(), items.end(), [](const std::string& item) {
    const std::vector<std::string> files = expand(item);
    return !files.empty() && names_a_file(files.front());
  });
  if (!all_there && names_a_file(source)) return {source};
  return items;
}

/// Rows of one SVMlight file may end before the last index that others have.
void set_width(std::vector<SourceOptions>& files) {
  std::int64_t width = 0;
  for (const SourceOptions& file : files) {
    if (file.role == Role::kTargets || file.training.is_object()) return;
    width = std::max(width, open_single(file)->info().sample.size());
  }
  for (SourceOptions& file : files) file.training = {{"svmlight", width}};
}

}  // namespace

std::vector<std::string> list_sources(const std::string& source, const std::string& key) {
  std::vector<std::string> files;
  for (const std::string& item : items_of(source)) {
    const std::vector<std::string> found = expand(item);
    if (found.empty()) throw InputError(fmt::format("{} = {}: no file matches \"{}\"", key, source, item));
    for (const std::string& file : found) {
      if (std::find(files.begin(), files.end(), file) != files.end())
        throw InputError(
            fmt::format("{} = {} names \"{}\" twice; its rows would count twice", key, source, file));
      files.push_back(file);
    }
  }
  if (files.empty()) throw InputError(fmt::format("{} = {} names no file", key, source));
  return files;
}

std::vector<std::string> files_of(const std::string& source) {
  std::vector<std::string> paths;
  if (source.empty()) return paths;
  for (const std::string& item : items_of(source)) {
    for (const std::string& file : expand(item)) paths.push_back(split_source(file).path);
  }
  return paths;
}

std::unique_ptr<ArraySource> open_several(const std::vector<std::string>& sources,
                                          const SourceOptions& options) {
  std::vector<SourceOptions> files(sources.size(), options);
  std::optional<FileFormat> first;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    files[i].source = sources[i];
    const SourcePath source = split_source(sources[i]);
    io::InputFile file(source.path, options.key);
    const FileFormat format = format_of(file, source);
    if (!first) first = format;
    if (format != FileFormat::kTable) refuse_numbers(options, file.name(), format_name(format));
    if (format == *first) continue;
    throw InputError(fmt::format("{} is a file of {}, \"{}\" of {}; the files of one key have one format",
                                 file.name(), format_name(format), sources[0], format_name(*first)));
  }
  if (sources.size() == 1 && (*first == FileFormat::kTable || *first == FileFormat::kSvmlight))
    return open_single(files.front());
  if (*first == FileFormat::kTable) return open_tables(sources, options);
  for (SourceOptions& file : files)
    file.points = std::make_shared<io::GzipPoints>(kPointBytes / static_cast<std::int64_t>(files.size()));
  if (*first == FileFormat::kSvmlight) set_width(files);
  return make_several_arrays(std::move(files), options.key);
}

}  // namespace nntrain::data
