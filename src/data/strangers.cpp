// Files that stand where data should: what they are, and what to do.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "data/formats.h"
#include "data/python_slice.h"

namespace nntrain::data {

namespace {

std::string lower_start(std::string_view text) {
  std::string lower(trimmed(text.substr(0, 512)).substr(0, 64));
  if (lower.starts_with("\xEF\xBB\xBF")) lower.erase(0, 3);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

}  // namespace

void refuse_strangers(const std::string& name, std::string_view start) {
  using namespace std::string_view_literals;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kMagic = {
      {{"PK\x03\x04"sv, "a zip archive (an .xlsx workbook is one); save the sheet as CSV, or unpack it"},
       {"\xD0\xCF\x11\xE0"sv, "an old Excel workbook; save the sheet as CSV"},
       {"PAR1"sv,
        "a Parquet file; write it as CSV, NPY or HDF5, e.g. pandas.read_parquet(..).to_csv(.., index=False)"},
       {"ARROW1"sv, "an Arrow file; write it as CSV, NPY or HDF5"},
       {"BZh"sv, "compressed with bzip2; unpack it"},
       {"\xFD"
        "7zXZ"sv,
        "compressed with xz; unpack it"},
       {"\x28\xB5\x2F\xFD"sv, "compressed with zstd; unpack it"},
       {"%PDF"sv, "a PDF document"},
       {"\x89PNG"sv, "a picture; store pictures as one IDX, NPY or HDF5 array"}}};
  for (const auto& [magic, what] : kMagic) {
    if (start.starts_with(magic)) throw InputError(fmt::format("{} is {}", name, what));
  }
  if (start.starts_with("version https://git-lfs")) {
    throw InputError(name + " is a git-lfs pointer, not the data; fetch it with: git lfs pull");
  }
  const std::string lower = lower_start(start);
  if (lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<head")) {
    throw InputError(
        name +
        " is an HTML page, not the data: a login or error page was saved in its place; download it again");
  }
  if (lower.starts_with("<?xml"))
    throw InputError(name + " is an XML document; write it as CSV, NPY or HDF5");
  const bool json = lower.starts_with("{\"") || lower.starts_with("[{") || lower.starts_with("[[") ||
                    (lower.starts_with("{") && trimmed(std::string_view(lower).substr(1)).starts_with('"'));
  if (json) throw InputError(name + " is JSON; write it as CSV, NPY or HDF5");
}

}  // namespace nntrain::data
