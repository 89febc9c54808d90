// IDX, the format of MNIST: two zero bytes, element type, number of axes, big-endian extents, values
// (Y. LeCun, http://yann.lecun.com/exdb/mnist).

#include <fmt/format.h>

#include <array>

#include "core/error.h"
#include "data/formats.h"
#include "data/raw_numbers.h"

namespace nntrain::data {

namespace {

class IdxSource : public ArraySource {
 public:
  /// `begin`: of the values, in bytes.
  IdxSource(io::InputFile file, ArrayInfo info, RawType type, std::int64_t begin)
      : file_(std::move(file)), info_(std::move(info)), type_(type), begin_(begin) {}

  const ArrayInfo& info() const override { return info_; }

  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    read_numbers(file_, type_, memory);
    file_.expect_end("its header promises");
    check_finite(info_, memory, file_.name());
  }

  bool has_rows() const override { return true; }

  void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory) override {
    check_rows(info_, first, count, memory);
    file_.seek(begin_ + first * info_.sample.size() * static_cast<std::int64_t>(type_.bytes));
    read_numbers(file_, type_, memory);
    check_finite(info_, memory, file_.name(), first);
  }

 private:
  io::InputFile file_;
  ArrayInfo info_;
  RawType type_;
  std::int64_t begin_;
};

RawType type_of(unsigned code, const std::string& name) {
  constexpr std::endian kBig = std::endian::big;
  switch (code) {
    case 0x08:
      return {RawKind::kUnsigned, 1, kBig};
    case 0x09:
      return {RawKind::kSigned, 1, kBig};
    case 0x0B:
      return {RawKind::kSigned, 2, kBig};
    case 0x0C:
      return {RawKind::kSigned, 4, kBig};
    case 0x0D:
      return {RawKind::kFloat, 4, kBig};
    case 0x0E:
      return {RawKind::kFloat, 8, kBig};
    default:
      throw InputError(
          fmt::format("{}: the IDX header names the element type 0x{:02X}; known are 08, 09, 0B, 0C, "
                      "0D and 0E; the file is damaged",
                      name, code));
  }
}

}  // namespace

std::unique_ptr<ArraySource> open_idx(io::InputFile file) {
  std::array<std::byte, 4> magic{};
  file.read_exactly(magic, "the IDX header");
  const RawType type = type_of(std::to_integer<unsigned>(magic[2]), file.name());
  const auto axes = std::to_integer<std::size_t>(magic[3]);
  std::vector<std::byte> raw(axes * 4);
  file.read_exactly(raw, "the IDX header");
  std::vector<std::int64_t> extents;
  for (std::size_t i = 0; i < raw.size(); i += 4) {
    std::int64_t extent = 0;
    for (std::size_t k = 0; k < 4; ++k) extent = extent << 8 | std::to_integer<std::int64_t>(raw[i + k]);
    extents.push_back(extent);
  }
  ArrayInfo info = make_info(file.name(), extents, type.element());
  const auto values = info.rows * info.sample.size();
  file.expect_stream_bytes(
      static_cast<std::int64_t>(4 + raw.size()) + values * static_cast<std::int64_t>(type.bytes),
      "the shape " + Shape(extents).to_string() + " of its IDX header");
  const auto begin = static_cast<std::int64_t>(4 + raw.size());
  return std::make_unique<IdxSource>(std::move(file), std::move(info), type, begin);
}

}  // namespace nntrain::data
