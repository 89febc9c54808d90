#include "io/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/read_ahead.h"

namespace nntrain::io {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kPeekBytes = std::size_t{1} << 16;
constexpr std::int64_t kMostCompression = 1032;  // zlib's technical notes: deflate's limit
constexpr std::int64_t kGzipLeastBytes = 18;     // header and trailer
constexpr int kGzipOnly = 15 + 16;               // inflateInit2: largest window, gzip wrapper
constexpr int kRaw = -15;                        // deflate without a wrapper
constexpr std::size_t kWindowBytes = std::size_t{1} << 15;
constexpr int kTrailerBytes = 8;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

}  // namespace

void require_regular_file(const std::string& path, const std::string& name) {
  const std::string kind = kind_of_special_file(path);
  if (kind.empty()) return;
  if (kind == "a folder") throw InputError(fmt::format("{} is a folder, not a file", name));
  throw InputError(
      fmt::format("{} is {}, not a regular file; write what it gives to a file first", name, kind));
}

struct InputFile::Implementation {
  Implementation(const std::string& file_path, const std::string& label)
      : path(file_path),
        name(label.empty() ? fmt::format("\"{}\"", file_path) : fmt::format("{} \"{}\"", label, file_path)),
        file(::open(file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {  // a pipe never waits
    if (file.get() < 0) throw InputError(fmt::format("cannot open {}: {}", name, std::strerror(errno)));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
      throw InputError(fmt::format("cannot open {}: {}", name, std::strerror(errno)));
    }
    require_regular_file(path, name);
    bytes = status.st_size;
    if (bytes == 0) throw InputError(fmt::format("{} is empty", name));
    unsigned char magic[2] = {0, 0};
    if (::pread(file.get(), magic, 2, 0) < 0) {
      throw InputError(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    }
    compressed = magic[0] == 0x1F && magic[1] == 0x8B;
    if (compressed) start_inflate();
  }

  ~Implementation() {
    if (compressed) inflateEnd(&stream);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  void start_inflate() {
    stream = {};
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw RuntimeError("out of memory while opening " + name);
    buffer.resize(std::min(kBufferBytes, static_cast<std::size_t>(bytes)));  // of the packed bytes
  }

  std::size_t read_raw(void* memory, std::size_t size) {
    ahead.before_read(System::posix(), file.get(), at, static_cast<std::int64_t>(size));
    for (;;) {
      const ssize_t got = ::read(file.get(), memory, size);
      if (got >= 0) at += got;
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) throw RuntimeError(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    }
  }

  bool refill() {
    if (stream.avail_in > 0) return true;
    stream.next_in = buffer.data();
    stream.avail_in = static_cast<uInt>(read_raw(buffer.data(), buffer.size()));
    packed += stream.avail_in;
    return stream.avail_in > 0;
  }

  /// Behind deflate data that were inflated from a place in their middle; the CRC would be that of all.
  void skip_trailer() {
    for (int i = 0; i < kTrailerBytes; ++i) {
      if (!refill()) throw InputError(fmt::format("{} is truncated: its gzip stream has no end", name));
      ++stream.next_in;
      --stream.avail_in;
    }
  }

  /// After the end of a member: another member, the end, or (as gzip(1)) zeros that fill a tape block.
  void next_member() {
    while (refill() && *stream.next_in == 0) {
      ++stream.next_in;
      --stream.avail_in;
      padding = true;
    }
    if (stream.avail_in == 0) {
      ended = true;
      if (collects) points->complete();
      return;
    }
    if (padding || *stream.next_in != 0x1F) {
      throw InputError(fmt::format("{}: bytes that are not gzip follow the compressed data", name));
    }
    inflateReset2(&stream, kGzipOnly);
    raw = false;
  }

  /// Between two blocks of deflate, the last one not among them.
  void add_point() {
    if ((stream.data_type & 128) == 0 || (stream.data_type & 64) != 0 || !points->wants(offset)) return;
    std::string window(kWindowBytes, '\0');
    uInt length = 0;
    inflateGetDictionary(&stream, reinterpret_cast<Bytef*>(window.data()), &length);
    if (length == 0) return;  // a member begins
    window.resize(length);
    points->add(offset, packed - stream.avail_in, stream.data_type & 7, window);
  }

  void go_to(const GzipPoints::Point& point) {
    const bool begins = point.window.empty();
    move_file(point.packed - (point.bits > 0 ? 1 : 0));
    inflateReset2(&stream, begins ? kGzipOnly : kRaw);
    stream.avail_in = 0;
    raw = !begins;
    ended = padding = collects = false;
    offset = point.offset;
    if (begins) return;
    if (point.bits > 0) {
      if (!refill()) throw InputError(fmt::format("{} is truncated", name));
      inflatePrime(&stream, point.bits, *stream.next_in >> (8 - point.bits));
      ++stream.next_in;
      --stream.avail_in;
    }
    const std::string window = GzipPoints::unpacked_window(point);
    inflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(window.data()),
                         static_cast<uInt>(window.size()));
  }

  void move_file(std::int64_t to) {
    if (::lseek(file.get(), to, SEEK_SET) != to)
      throw RuntimeError(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    packed = at = to;
  }

  void inflate_to(std::int64_t to) {
    const GzipPoints::Point& point = points->before(to);
    if (to < offset || point.offset > offset) go_to(point);
    std::vector<std::byte> passed(static_cast<std::size_t>(
        std::min<std::int64_t>(static_cast<std::int64_t>(kBufferBytes), to - offset)));
    while (offset < to && !ended) {
      const auto left = static_cast<std::size_t>(to - offset);
      inflate_some(std::span(passed).first(std::min(passed.size(), left)));
    }
  }

  std::size_t inflate_some(std::span<std::byte> memory) {
    std::size_t done = 0;
    while (done < memory.size() && !ended) {
      const std::size_t piece = std::min<std::size_t>(memory.size() - done, std::size_t{1} << 30);
      stream.next_out = reinterpret_cast<Bytef*>(memory.data() + done);
      stream.avail_out = static_cast<uInt>(piece);
      if (!refill()) throw InputError(fmt::format("{} is truncated: its gzip stream has no end", name));
      const int status = inflate(&stream, collects ? Z_BLOCK : Z_NO_FLUSH);
      done += piece - stream.avail_out;
      offset += static_cast<std::int64_t>(piece - stream.avail_out);
      if (collects && status == Z_OK) add_point();
      if (status == Z_STREAM_END) {
        if (raw) skip_trailer();
        next_member();
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw InputError(fmt::format("{} is damaged: {} (gzip)", name,
                                     stream.msg != nullptr ? stream.msg : zError(status)));
      }
    }
    return done;
  }

  std::size_t read_plain(std::span<std::byte> memory) {
    std::size_t done = 0;
    while (done < memory.size()) {
      const std::size_t got =
          read_raw(memory.data() + done, std::min<std::size_t>(memory.size() - done, 1U << 30));
      if (got == 0) break;
      done += got;
    }
    return done;
  }

  std::size_t decode(std::span<std::byte> memory) {
    return compressed ? inflate_some(memory) : read_plain(memory);
  }

  std::size_t read_some(std::span<std::byte> memory) {
    const std::size_t kept = std::min(memory.size(), peeked.size() - peek_used);
    std::copy_n(peeked.begin() + static_cast<std::ptrdiff_t>(peek_used), kept, memory.begin());
    peek_used += kept;
    return kept + decode(memory.subspan(kept));
  }

  std::string path;
  std::string name;
  Descriptor file;
  std::int64_t bytes = 0;
  bool compressed = false;
  bool ended = false;
  bool padding = false;
  bool raw = false;         // inflating from a place in the middle
  bool collects = false;    // places for seeks
  std::int64_t offset = 0;  // of the stream: inflated so far
  std::int64_t packed = 0;  // of the file: handed to zlib so far
  std::int64_t at = 0;      // of the file: where the next read begins
  ReadAhead ahead;
  std::shared_ptr<GzipPoints> points;
  z_stream stream{};
  std::vector<Bytef> buffer;
  std::vector<std::byte> peeked;
  std::size_t peek_used = 0;
};

InputFile::InputFile(const std::string& path, const std::string& label)
    : impl_(std::make_unique<Implementation>(path, label)) {}
InputFile::~InputFile() = default;
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;

const std::string& InputFile::name() const { return impl_->name; }
bool InputFile::compressed() const { return impl_->compressed; }
std::int64_t InputFile::file_bytes() const { return impl_->bytes; }

namespace {

/// The uncompressed length modulo 2^32 of the last member (RFC 1952, ISIZE).
std::int64_t trailer_length(int descriptor, std::int64_t file_bytes) {
  unsigned char trailer[4] = {};
  if (::pread(descriptor, trailer, sizeof trailer, file_bytes - 4) != 4) return -1;
  return static_cast<std::int64_t>(trailer[0]) | static_cast<std::int64_t>(trailer[1]) << 8 |
         static_cast<std::int64_t>(trailer[2]) << 16 | static_cast<std::int64_t>(trailer[3]) << 24;
}

/// Inflates everything; stops early beyond `enough`.
std::int64_t count_stream(InputFile& file, std::int64_t enough) {
  std::vector<std::byte> memory(kBufferBytes);
  std::int64_t total = 0;
  for (;;) {
    const std::size_t got = file.read_some(memory);
    total += static_cast<std::int64_t>(got);
    if (got < memory.size() || total > enough) return total;
  }
}

}  // namespace

void InputFile::expect_stream_bytes(std::int64_t bytes, const std::string& what) const {
  std::int64_t held = impl_->bytes;
  bool more = false;
  if (impl_->compressed) {
    const bool plausible = impl_->bytes >= kGzipLeastBytes && bytes / kMostCompression <= impl_->bytes;
    if (plausible && trailer_length(impl_->file.get(), impl_->bytes) == (bytes & 0xFFFFFFFFLL)) return;
    Implementation& whole = *impl_;
    InputFile second(whole.path, "");
    second.impl_->name = whole.name;
    held = count_stream(second, bytes);
    more = held > bytes;
  }
  if (held == bytes) return;
  throw InputError(
      fmt::format("{} holds {}{} bytes{}, but {} needs {}; the file is {}", impl_->name,
                  more ? "at least " : "", held, impl_->compressed ? " uncompressed" : "", what, bytes,
                  held < bytes ? "truncated or damaged" : "damaged, or more was appended to it"));
}

std::span<const std::byte> InputFile::peek() {
  if (impl_->peeked.empty()) {
    impl_->peeked.resize(kPeekBytes);
    impl_->peeked.resize(impl_->decode(impl_->peeked));
  }
  return std::span<const std::byte>(impl_->peeked).subspan(impl_->peek_used);
}

std::size_t InputFile::read_some(std::span<std::byte> memory) { return impl_->read_some(memory); }

void InputFile::read_exactly(std::span<std::byte> memory, const std::string& what) {
  const std::size_t got = impl_->read_some(memory);
  if (got == memory.size()) return;
  throw InputError(fmt::format("{} is truncated: {} of the {} bytes of {} are missing", impl_->name,
                               memory.size() - got, memory.size(), what));
}

void InputFile::use_points(std::shared_ptr<GzipPoints> points) { impl_->points = std::move(points); }

void InputFile::collect_points() {
  impl_->collects = impl_->compressed && impl_->points != nullptr && !impl_->points->is_complete();
  if (impl_->collects) impl_->points->clear();
}

void InputFile::seek(std::int64_t offset) {
  impl_->peeked.clear();
  impl_->peek_used = 0;
  if (!impl_->compressed) return impl_->move_file(offset);
  if (impl_->points == nullptr || !impl_->points->is_complete()) {
    impl_->collects = false;
    InputFile whole(impl_->path, "");
    whole.impl_->name = impl_->name;
    if (impl_->points == nullptr) impl_->points = std::make_shared<GzipPoints>();
    whole.use_points(impl_->points);
    whole.collect_points();
    count_stream(whole, std::numeric_limits<std::int64_t>::max());
  }
  impl_->inflate_to(offset);
}

void InputFile::expect_end(const std::string& what) {
  std::byte extra{};
  if (impl_->read_some({&extra, 1}) == 0) return;
  throw InputError(fmt::format("{} holds more than {}; the file is damaged, or more was appended to it",
                               impl_->name, what));
}

}  // namespace nntrain::io
