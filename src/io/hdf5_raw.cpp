#include "io/hdf5_raw.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

namespace nntrain::io {

RawFile::RawFile(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), owned_(true) {}

RawFile::~RawFile() {
  if (owned_ && descriptor_ >= 0) ::close(descriptor_);
}

std::size_t RawFile::read(std::uint64_t at, char* memory, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(descriptor_, memory + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

namespace {
constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
}

std::uint64_t RawFile::base_address() const {
  char bytes[kSignature.size()];
  // At 0, 512, 1024, 2048, ...
  for (std::uint64_t at = 0; read(at, bytes, sizeof bytes) == sizeof bytes; at = at == 0 ? 512 : at * 2) {
    if (std::string_view(bytes, sizeof bytes) == kSignature) return at;
  }
  return 0;
}

std::uint64_t little_endian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint64_t number(RawBytes bytes, std::size_t at, std::size_t count) {
  constexpr std::size_t kMost = 8;
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  const RawBytes above = bytes.subspan(at, count).subspan(std::min(count, kMost));
  const bool fits = std::all_of(above.begin(), above.end(), [](char byte) { return byte == 0; });
  return fits ? little_endian(bytes.data() + at, std::min(count, kMost)) : UINT64_MAX;
}

RawStructures::RawStructures(const RawFile& file, std::uint64_t file_bytes)
    : file_(file), file_bytes_(file_bytes), base_(file.base_address()), left_(file_bytes) {
  char superblock[16] = {};
  file_.read(base_, superblock, sizeof superblock);
  const std::size_t widths = superblock[8] < 2 ? 13 : 9;
  address_bytes_ = static_cast<unsigned char>(superblock[widths]);
  length_bytes_ = static_cast<unsigned char>(superblock[widths + 1]);
}

// HDF5 File Format Specification 3.0, II.A "The Superblock".
RawStructures::Superblock RawStructures::superblock() const {
  char bytes[128] = {};
  const RawBytes all(bytes, file_.read(base_, bytes, sizeof bytes));
  if (std::string_view(bytes, kSignature.size()) != kSignature) return {};
  const auto address = [&](std::size_t first, std::size_t index, std::size_t before = 0) {
    return number(all, first + index * address_bytes_ + before, address_bytes_);
  };
  const std::uint64_t version = number(all, kSignature.size(), 1);
  if (version >= 2) return {address(12, 2), {address(12, 1), address(12, 3)}};
  // Base, free space, end, driver, then the root group's entry: the place of its name, its header.
  const std::size_t first = version == 0 ? 24 : 28;
  return {address(first, 2), {address(first, 4, length_bytes_)}};
}

bool RawStructures::read(std::uint64_t address, std::uint64_t size, std::vector<char>& bytes) {
  bytes.clear();
  if (size > left_) return false;
  left_ -= size;
  if (address > file_bytes_) return true;
  bytes.resize(static_cast<std::size_t>(size));
  bytes.resize(file_.read(base_ + address, bytes.data(), bytes.size()));
  return true;
}

namespace {

constexpr unsigned kContinuation = 0x10, kShared = 2;

/// Where messages are, and how many bytes stand before each.
struct Piece {
  std::uint64_t address = 0, bytes = 0;
};

/// The first piece of the header whose first bytes are `prefix`, and what a message of it begins with.
Piece first_piece(RawBytes prefix, std::uint64_t address, bool& is_old, std::size_t& before) {
  is_old = std::string_view(prefix.data(), 4) != "OHDR";
  before = 8;
  if (is_old) return {address + 16, number(prefix, 8, 4)};
  const auto flags = static_cast<unsigned>(number(prefix, 5, 1));
  const std::size_t width = std::size_t{1} << (flags & 3U);
  const std::size_t size_at = 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
  before = (flags & 4U) != 0 ? 6 : 4;
  return {address + size_at + width, number(prefix, size_at, width)};
}

}  // namespace

bool RawStructures::each_message(std::uint64_t address, const std::function<void(const Message&)>& visit) {
  constexpr std::size_t kLeastHeader = 16;
  constexpr std::uint64_t kSignature = 4, kChecksum = 4;  // of a further piece of version 2
  char prefix[64] = {};
  if (address > file_bytes_ || file_.read(base_ + address, prefix, sizeof prefix) < kLeastHeader) return true;
  bool is_old = true;
  std::size_t before = 0;
  std::vector<Piece> pieces{first_piece(prefix, address, is_old, before)};
  std::set<std::uint64_t> seen;
  for (std::size_t next = 0; next < pieces.size(); ++next) {
    const Piece piece = pieces[next];
    if (!holds(piece.address, 0) || piece.bytes > file_bytes_ || !seen.insert(piece.address).second) continue;
    std::vector<char> bytes;
    if (!read(piece.address, piece.bytes, bytes)) return false;
    for (std::size_t at = 0; at + before <= bytes.size();) {
      const auto type = static_cast<unsigned>(number(bytes, at, is_old ? 2 : 1));
      const std::uint64_t length = number(bytes, at + (is_old ? 2 : 1), 2);
      const std::uint64_t flags = number(bytes, at + (is_old ? 4 : 3), 1);
      at += before;
      if (length > bytes.size() - at) break;
      const RawBytes message(bytes.data() + at, static_cast<std::size_t>(length));
      at += static_cast<std::size_t>(length);
      visit({type, (flags & kShared) != 0, message});
      if (type != kContinuation) continue;
      Piece further{number(message, 0, address_bytes_), number(message, address_bytes_, length_bytes_)};
      if (!is_old && further.bytes < kSignature + kChecksum) return false;
      if (!is_old) further = {further.address + kSignature, further.bytes - kSignature - kChecksum};
      pieces.push_back(further);
    }
  }
  return true;
}

}  // namespace nntrain::io
