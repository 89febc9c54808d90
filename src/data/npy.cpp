// NPY, NumPy's array files (numpy.lib.format, versions 1.0, 2.0 and 3.0).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "data/formats.h"
#include "data/raw_numbers.h"

namespace nntrain::data {

namespace {

constexpr std::size_t kLongestHeader = std::size_t{1} << 20;

struct NpyHeader {
  RawType type;
  std::vector<std::int64_t> extents;
  bool fortran_order = false;
};

/// In a Fortran array the first index runs fastest: C order is read out with strides.
void to_c_order(const std::vector<std::int64_t>& extents, std::size_t width, const std::byte* from,
                std::byte* to) {
  std::vector<std::int64_t> index(extents.size(), 0);
  std::vector<std::int64_t> stride(extents.size(), 1);
  for (std::size_t axis = 1; axis < extents.size(); ++axis)
    stride[axis] = stride[axis - 1] * extents[axis - 1];
  std::int64_t offset = 0;
  for (;;) {
    std::copy_n(from + offset * static_cast<std::int64_t>(width), width, to);
    to += width;
    std::size_t axis = extents.size();
    while (axis > 0 && ++index[axis - 1] == extents[axis - 1]) {
      --axis;
      offset -= (extents[axis] - 1) * stride[axis];
      index[axis] = 0;
    }
    if (axis == 0) return;
    offset += stride[axis - 1];
  }
}

class NpySource : public ArraySource {
 public:
  NpySource(io::InputFile file, ArrayInfo info, NpyHeader header, std::int64_t begin)
      : file_(std::move(file)), info_(std::move(info)), header_(std::move(header)), begin_(begin) {}

  const ArrayInfo& info() const override { return info_; }

  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    if (header_.fortran_order && header_.extents.size() > 1) {
      std::vector<std::byte> columns(memory.size());
      read_numbers(file_, header_.type, columns);
      to_c_order(header_.extents, element_bytes(info_.element), columns.data(), memory.data());
    } else {
      read_numbers(file_, header_.type, memory);
    }
    file_.expect_end("its header promises");
    check_finite(info_, memory, file_.name());
  }

  bool has_rows() const override { return !header_.fortran_order || header_.extents.size() < 2; }

  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    check_rows(info_, first, count, memory);
    file_.seek(begin_ + first * info_.sample.size() * static_cast<std::int64_t>(header_.type.bytes));
    read_numbers(file_, header_.type, memory);
    check_finite(info_, memory, file_.name(), first);
  }

 private:
  io::InputFile file_;
  ArrayInfo info_;
  NpyHeader header_;
  std::int64_t begin_;  ///< of the values, in bytes
};

/// Reads the Python dict {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyHeader parse() {
    NpyHeader header;
    header.type = parse_type(quoted_value("descr"));
    const std::string_view order = value("fortran_order");
    if (order.starts_with("True")) {
      header.fortran_order = true;
    } else if (!order.starts_with("False")) {
      damaged("fortran_order");
    }
    header.extents = parse_shape(value("shape"));
    return header;
  }

 private:
  [[noreturn]] void damaged(std::string_view what) const {
    throw InputError(
        fmt::format("{}: the NPY header has no readable '{}'; the file is damaged", name_, what));
  }

  std::string_view value(std::string_view key) const {
    for (const char quote : {'\'', '"'}) {
      const std::string quoted = fmt::format("{}{}{}", quote, key, quote);
      const std::size_t at = text_.find(quoted);
      if (at == std::string_view::npos) continue;
      const std::string_view rest = text_.substr(at + quoted.size());
      const std::size_t colon = rest.find_first_not_of(' ');
      if (colon == std::string_view::npos || rest[colon] != ':') continue;
      const std::size_t begin = rest.find_first_not_of(' ', colon + 1);
      if (begin != std::string_view::npos) return rest.substr(begin);
    }
    damaged(key);
  }

  std::string_view quoted_value(std::string_view key) const {
    const std::string_view text = value(key);
    if (text[0] == '[') {
      throw InputError(name_ +
                       " holds records of several fields (a structured NumPy type); save plain numbers");
    }
    if (text[0] != '\'' && text[0] != '"') damaged(key);
    const std::size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos) damaged(key);
    return text.substr(1, end - 1);
  }

  RawType parse_type(std::string_view descr) const {
    RawType type;
    std::size_t bytes = 0;
    bool known = descr.size() >= 3;
    if (known) {
      const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), bytes);
      known = error == std::errc() && end == descr.data() + descr.size();
    }
    const char kind = known ? descr[1] : '?';
    known = known && std::string_view("<>=|").find(descr[0]) != std::string_view::npos;
    const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    if (kind == 'b') known = known && bytes == 1;
    if (kind == 'f') known = known && power && bytes > 1;
    if (kind == 'u' || kind == 'i') known = known && power;
    if (!known || std::string_view("buif").find(kind) == std::string_view::npos) {
      throw InputError(
          fmt::format("{} holds NumPy type '{}'; bool, integers and float16, float32 or float64 are "
                      "read (array.astype('float32') in Python)",
                      name_, descr));
    }
    type.kind = kind == 'f' ? RawKind::kFloat : kind == 'i' ? RawKind::kSigned : RawKind::kUnsigned;
    type.bytes = bytes;
    if (descr[0] == '<') type.order = std::endian::little;
    if (descr[0] == '>') type.order = std::endian::big;
    return type;
  }

  std::vector<std::int64_t> parse_shape(std::string_view text) const {
    std::vector<std::int64_t> extents;
    const std::size_t close = text.find(')');
    if (text[0] != '(' || close == std::string_view::npos) damaged("shape");
    const char* at = text.data() + 1;
    const char* end = text.data() + close;
    while (at < end) {
      if (*at == ' ' || *at == ',') {
        ++at;
        continue;
      }
      std::int64_t extent = 0;
      const auto [next, error] = std::from_chars(at, end, extent);
      if (error != std::errc() || extent < 0) damaged("shape");
      extents.push_back(extent);
      at = next;
      if (at < end && *at == 'L') ++at;  // Python 2 wrote 3L
    }
    return extents;
  }

  std::string_view text_;
  const std::string& name_;
};

/// Looks at the numbers that the file begins with: all of them would be one more pass.
void note_rounding(const std::string& name, const RawType& type, std::span<const std::byte> numbers,
                   ArrayInfo& info) {
  const std::string rounded = first_rounded(type, numbers);
  if (rounded.empty()) return;
  info.notes.push_back(fmt::format("{}: {} rows, read as float32", name, info.rows));
  info.notes.push_back(fmt::format(
      "{} holds whole numbers beyond 2^24, which float32 rounds: {}; subtract a start or scale them "
      "before (time stamps: days or seconds since the first row)",
      name, rounded));
}

}  // namespace

std::unique_ptr<ArraySource> open_npy(io::InputFile file) {
  const std::span<const std::byte> peeked = file.peek();
  const std::vector<std::byte> start(peeked.begin(), peeked.end());
  std::array<std::byte, 8> magic{};
  file.read_exactly(magic, "the NPY header");
  const auto version = std::to_integer<unsigned>(magic[6]);
  if (version < 1 || version > 3) {
    throw InputError(fmt::format("{} is of NPY version {}; versions 1 to 3 are read", file.name(), version));
  }
  std::array<std::byte, 4> raw{};
  const std::size_t width = version == 1 ? 2 : 4;
  file.read_exactly(std::span(raw).first(width), "the NPY header");
  std::size_t length = 0;
  for (std::size_t k = width; k-- > 0;) length = length << 8U | std::to_integer<std::size_t>(raw[k]);
  if (length > kLongestHeader) {
    throw InputError(
        fmt::format("{}: the NPY header claims {} bytes; the file is damaged", file.name(), length));
  }
  std::string text(length, ' ');
  file.read_exactly(std::as_writable_bytes(std::span(text)), "the NPY header");
  NpyHeader header = HeaderParser(text, file.name()).parse();
  ArrayInfo info = make_info(file.name(), header.extents, header.type.element());
  const std::int64_t values = info.rows * info.sample.size();
  file.expect_stream_bytes(static_cast<std::int64_t>(magic.size() + width + length) +
                               values * static_cast<std::int64_t>(header.type.bytes),
                           "the shape " + Shape(header.extents).to_string() + " of its NPY header");
  const std::size_t begin = magic.size() + width + length;
  note_rounding(file.name(), header.type, std::span(start).subspan(std::min(begin, start.size())), info);
  return std::make_unique<NpySource>(std::move(file), std::move(info), std::move(header),
                                     static_cast<std::int64_t>(begin));
}

}  // namespace nntrain::data
