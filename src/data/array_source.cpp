#include "data/array_source.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>

#include "core/error.h"
#include "core/sha256.h"
#include "data/formats.h"
#include "io/hdf5.h"

namespace nntrain::data {

const std::vector<TextColumn>& ArraySource::ids() const {
  static const std::vector<TextColumn> none;
  return none;
}

void ArraySource::read_rows(std::int64_t, std::int64_t, std::span<std::byte>) {
  throw RuntimeError("internal: read_rows() of a source that has none");
}

std::size_t element_bytes(Element element) { return element == Element::kUint8 ? 1 : sizeof(float); }

std::int64_t ArrayInfo::bytes() const {
  return rows * sample.size() * static_cast<std::int64_t>(element_bytes(element));
}

ArrayInfo make_info(const std::string& name, const std::vector<std::int64_t>& extents, Element element) {
  const std::string shape = Shape(extents).to_string();
  if (extents.empty())
    throw InputError(fmt::format("{} holds a single number; the first axis counts samples", name));
  if (extents.size() > 32)
    throw InputError(fmt::format("{} claims {} axes; the file is damaged", name, extents.size()));
  std::int64_t bytes = static_cast<std::int64_t>(sizeof(double));
  for (const std::int64_t extent : extents) {
    if (extent < 0 || __builtin_mul_overflow(bytes, extent, &bytes)) {
      throw InputError(
          fmt::format("{} claims the shape {}, more than any file holds; it is damaged", name, shape));
    }
  }
  if (bytes == 0) throw InputError(fmt::format("{} has the shape {}: no samples", name, shape));
  ArrayInfo info;
  info.element = element;
  info.rows = extents.front();
  info.sample = Shape(std::vector<std::int64_t>(extents.begin() + 1, extents.end()));
  return info;
}

void check_memory(const ArrayInfo& info, std::span<const std::byte> memory) {
  if (static_cast<std::int64_t>(memory.size()) == info.bytes()) return;
  throw RuntimeError(
      fmt::format("internal: {} bytes of memory for an array of {}", memory.size(), info.bytes()));
}

void check_rows(const ArrayInfo& info, std::int64_t first, std::int64_t count,
                std::span<const std::byte> memory) {
  const bool there = first >= 0 && count >= 0 && first <= info.rows - count;
  if (there && static_cast<std::int64_t>(memory.size()) == info.bytes() / info.rows * count) return;
  throw RuntimeError(fmt::format("internal: {} bytes of memory for rows {} to {} of {}", memory.size(), first,
                                 first + count, info.rows));
}

void check_finite(const ArrayInfo& info, std::span<const std::byte> memory, const std::string& name,
                  std::int64_t first_row) {
  if (info.element != Element::kFloat32) return;
  constexpr std::uint32_t kExponent = 0x7F800000;
  constexpr std::size_t kBlock = 4096;
  const auto* values = reinterpret_cast<const float*>(memory.data());
  const std::size_t count = memory.size() / sizeof(float);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, count);
    std::uint32_t bad = 0;
    for (std::size_t i = begin; i < end; ++i) {
      bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(values[i]) & kExponent) == kExponent);
    }
    if (bad == 0) continue;
    std::size_t at = begin;
    while ((std::bit_cast<std::uint32_t>(values[at]) & kExponent) != kExponent) ++at;
    const auto row_values = static_cast<std::size_t>(info.sample.size());
    throw InputError(
        fmt::format("row {}, value {} of {} is {}; rows and values count from 0; repair or remove such rows",
                    at / row_values + static_cast<std::size_t>(first_row), at % row_values, name,
                    values[at] != values[at] ? "NaN" : "Inf (or too large for float32)"));
  }
}

SourcePath split_source(const std::string& source) {
  const auto is_there = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0;
  };
  if (is_there(source)) return {source, ""};
  for (std::size_t at = source.find(':'); at != std::string::npos; at = source.find(':', at + 1)) {
    if (at > 0 && is_there(source.substr(0, at))) return {source.substr(0, at), source.substr(at + 1)};
  }
  const std::size_t at = source.find(":/");  // missing: name the file alone in the message
  return {at == 0 || at == std::string::npos ? source : source.substr(0, at), ""};
}

namespace {

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

bool looks_like_text(std::span<const std::byte> bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](std::byte byte) {
    const auto c = std::to_integer<unsigned>(byte);
    return c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
}

std::string hex_bytes(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += fmt::format("{}{:02X}", text.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  }
  return text;
}

}  // namespace

const char* format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kHdf5:
      return "HDF5";
    case FileFormat::kNpy:
      return "NPY";
    case FileFormat::kIdx:
      return "IDX";
    case FileFormat::kSvmlight:
      return "SVMlight";
    case FileFormat::kTable:
      break;
  }
  return "CSV";
}

FileFormat format_of(io::InputFile& file, const SourcePath& source) {
  const std::span<const std::byte> start = file.peek();
  if (!file.compressed() && io::Hdf5File::is_hdf5(source.path)) return FileFormat::kHdf5;
  if (!source.dataset.empty()) {
    throw InputError(
        fmt::format("{} is not an HDF5 file, so it has no dataset \":{}\"", file.name(), source.dataset));
  }
  if (begins_with(start, "\x89HDF\r\n\x1a\n")) {
    throw InputError(file.name() + " is a compressed HDF5 file; decompress it with gunzip");
  }
  if (begins_with(start, "\x93NUMPY")) return FileFormat::kNpy;
  if (begins_with(start, std::string_view("\0\0", 2))) return FileFormat::kIdx;
  if (start.empty()) throw InputError(file.name() + " is empty");
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  refuse_strangers(file.name(), text);
  const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (!utf16 && !looks_like_text(start)) {
    throw InputError(
        fmt::format("{} is none of IDX, CSV, HDF5 and NPY: it begins with the bytes {}; the file is damaged "
                    "or of another format",
                    file.name(), hex_bytes(start.first(std::min<std::size_t>(start.size(), 8)))));
  }
  return is_svmlight(text) ? FileFormat::kSvmlight : FileFormat::kTable;
}

void refuse_numbers(const SourceOptions& options, const std::string& name, const char* format) {
  if (!options.text) return;
  throw InputError(
      fmt::format("{} holds numbers ({}), but the model's layer {} takes text; give a table (CSV and its "
                  "kin), whose cells "
                  "are words",
                  name, format, options.text->layer));
}

std::unique_ptr<ArraySource> open_single(const SourceOptions& options) {
  const SourcePath source = split_source(options.source);
  io::InputFile file(source.path, options.key);
  if (options.points != nullptr) file.use_points(options.points);
  const FileFormat format = format_of(file, source);
  if (format != FileFormat::kTable) refuse_numbers(options, file.name(), format_name(format));
  switch (format) {
    case FileFormat::kHdf5:
      return open_hdf5(source.path, source.dataset, options);
    case FileFormat::kNpy:
      return open_npy(std::move(file));
    case FileFormat::kIdx:
      return open_idx(std::move(file));
    case FileFormat::kSvmlight:
      return open_svmlight(std::move(file), options);
    case FileFormat::kTable:
      break;
  }
  return open_tables({source.path}, options);
}

std::unique_ptr<ArraySource> open_array(const SourceOptions& options) {
  if (options.memory != nullptr) {
    refuse_numbers(options, options.key, "an array in memory");
    return open_memory(options);
  }
  if (options.source.empty()) throw InputError(options.key + " is empty; give the path of a file");
  const std::vector<std::string> sources = list_sources(options.source, options.key);
  if (sources.size() > 1 || options.by_rows) return open_several(sources, options);
  SourceOptions single = options;
  single.source = sources.front();
  return open_single(single);
}

std::int64_t block_rows_of(const ArrayInfo& info) {
  constexpr std::int64_t kBlockBytes = std::int64_t{1} << 20;
  const std::int64_t rows = std::max<std::int64_t>(
      1, kBlockBytes / std::max<std::int64_t>(1, info.bytes() / std::max<std::int64_t>(1, info.rows)));
  if (info.chunk_rows > 0) return std::max<std::int64_t>(1, rows / info.chunk_rows) * info.chunk_rows;
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
}

std::vector<std::int64_t> block_cuts(const ArrayInfo& info, const RowRange& rows, std::int64_t block_rows) {
  std::vector<std::int64_t> cuts;
  if (info.chunk_rows == 0) return cuts;
  std::vector<std::int64_t> begins = {0};
  begins.insert(begins.end(), info.files.begin(), info.files.end());
  std::int64_t block_begin = rows.begin;
  const auto cut = [&](std::int64_t row) {
    block_begin = row;
    if (row > rows.begin && row < rows.end) cuts.push_back(row - rows.begin);
  };
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::int64_t begin = begins[i], end = i + 1 < begins.size() ? begins[i + 1] : info.rows;
    if (end <= rows.begin || begin >= rows.end) continue;
    if (begin < rows.begin) {  // the data set begins inside this file
      const std::int64_t chunk = (rows.begin - begin + info.chunk_rows - 1) / info.chunk_rows;
      if (begin + chunk * info.chunk_rows < end) cut(begin + chunk * info.chunk_rows);
    } else if (end - block_begin > block_rows) {
      cut(begin);
    }
  }
  return cuts;
}

namespace {

constexpr std::int64_t kSamples = 32, kRowsOfASample = 16;
constexpr std::int64_t kReadBytes = std::int64_t{4} << 20;

void begin_fingerprint(const ArrayInfo& info, Sha256& hash) {
  std::vector<std::int64_t> extents = {info.rows};
  extents.insert(extents.end(), info.sample.extents().begin(), info.sample.extents().end());
  hash.add_text(fmt::format("{} {}\n", info.element == Element::kUint8 ? "uint8" : "float32",
                            Shape(extents).to_string()));
}

}  // namespace

std::string fingerprint(const ArrayInfo& info, std::span<const std::byte> memory) {
  check_memory(info, memory);
  Sha256 hash;
  begin_fingerprint(info, hash);
  hash.add(memory);
  return hash.hex();
}

std::string fingerprint(const ArrayInfo& info, const ReadRows& read) {
  Sha256 hash;
  begin_fingerprint(info, hash);
  const std::int64_t row_bytes = info.bytes() / info.rows;
  const std::int64_t step = std::max(info.chunk_rows, std::max<std::int64_t>(1, kReadBytes / row_bytes));
  std::vector<std::byte> memory(static_cast<std::size_t>(std::min(step, info.rows) * row_bytes));
  for (std::int64_t first = 0; first < info.rows; first += step) {
    const std::int64_t count = std::min(step, info.rows - first);
    const std::span<std::byte> some = std::span(memory).first(static_cast<std::size_t>(count * row_bytes));
    read(first, count, some);
    hash.add(some);
  }
  return hash.hex();
}

std::string sampled_fingerprint(const ArrayInfo& info, const ReadRows& read) {
  Sha256 hash;
  begin_fingerprint(info, hash);
  const bool all = info.rows <= kSamples * kRowsOfASample;
  const std::int64_t samples = all ? 1 : kSamples, rows = all ? info.rows : kRowsOfASample;
  std::vector<std::byte> memory(static_cast<std::size_t>(rows * (info.bytes() / info.rows)));
  for (std::int64_t i = 0; i < samples; ++i) {
    read(samples == 1 ? 0
                      : (info.rows - rows) / (samples - 1) * i +
                            (info.rows - rows) % (samples - 1) * i / (samples - 1),
         rows, memory);
    hash.add(memory);
  }
  return hash.hex();
}

}  // namespace nntrain::data
