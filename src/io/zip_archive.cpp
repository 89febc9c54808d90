#include "io/zip_archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/input_file.h"

namespace nntrain::io {

namespace {

constexpr std::int64_t kMostEntries = 100000;
// Deflate cannot pass 1032 : 1, weights and JSON stay far below; small entries may be anything.
constexpr std::int64_t kMostCompression = 200;
constexpr std::int64_t kAlwaysAllowedBytes = std::int64_t{16} << 20;
constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

std::string words_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string words = zip_error_strerror(&error);
  zip_error_fini(&error);
  return words;
}

/// "../x", "/x", "a/../../x": nothing here is unpacked into folders, but an honest archive has no such names.
bool leads_out(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string::npos) return true;
  return ("/" + name + "/").find("/../") != std::string::npos;
}

}  // namespace

MemoryFile::MemoryFile(const std::string& name) : descriptor_(::memfd_create(name.c_str(), MFD_CLOEXEC)) {
  if (descriptor_ < 0)
    throw RuntimeError(fmt::format("no memory file for \"{}\": {}", name, std::strerror(errno)));
}

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string MemoryFile::path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

void MemoryFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) throw RuntimeError(std::string("no room for a file in memory: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

struct ZipReader::Implementation {
  struct Entry {
    zip_uint64_t index = 0;
    std::int64_t bytes = 0;
  };

  std::string path;
  zip_t* archive = nullptr;
  std::map<std::string, Entry> entries;

  [[noreturn]] void fail(const std::string& what) const { throw InputError("\"" + path + "\": " + what); }

  ~Implementation() {
    if (archive != nullptr) zip_discard(archive);
  }

  void add(zip_uint64_t index) {
    zip_stat_t stat;
    if (zip_stat_index(archive, index, 0, &stat) != 0) fail("an entry of the zip archive cannot be read");
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                     ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((stat.valid & kNeeded) != kNeeded) fail("an entry of the zip archive has no size");
    const std::string name = stat.name;
    if (leads_out(name)) fail("the entry \"" + name + "\" leads out of the archive, which is refused");
    if (stat.encryption_method != ZIP_EM_NONE) fail("the entry \"" + name + "\" is encrypted");
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
      fail("the entry \"" + name + "\" is packed with a method other than \"stored\" and \"deflate\"");
    const auto bytes = static_cast<std::int64_t>(std::min<zip_uint64_t>(stat.size, INT64_MAX));
    const auto packed = static_cast<std::int64_t>(std::min<zip_uint64_t>(stat.comp_size, INT64_MAX));
    if (bytes > kAlwaysAllowedBytes && bytes / kMostCompression > packed) {
      fail(fmt::format("the entry \"{}\" claims {} bytes out of {} packed ones; it is damaged or a zip bomb",
                       name, bytes, packed));
    }
    if (!entries.emplace(name, Entry{index, bytes}).second) fail("the entry \"" + name + "\" is there twice");
  }

  /// Hands the entry's bytes to `take`, block by block.
  template <class Take>
  void read(const std::string& name, Take take) const {
    const auto found = entries.find(name);
    if (found == entries.end()) fail("the archive has no \"" + name + "\"");
    zip_file_t* file = zip_fopen_index(archive, found->second.index, 0);
    if (file == nullptr) fail("cannot read \"" + name + "\": " + zip_strerror(archive));
    // One byte more than it should have, to see one that is too long.
    const auto most = static_cast<std::size_t>(found->second.bytes) + 1;
    std::vector<std::byte> block(std::min(kBlockBytes, most));
    std::int64_t done = 0;
    std::string wrong;
    for (;;) {
      const zip_int64_t got = zip_fread(file, block.data(), block.size());
      if (got < 0) wrong = std::string("is damaged: ") + zip_file_strerror(file);
      if (got <= 0) break;
      done += got;
      if (done > found->second.bytes) {
        wrong = "is longer than the archive says";
        break;
      }
      take(std::span<const std::byte>(block).first(static_cast<std::size_t>(got)));
    }
    zip_fclose(file);
    if (wrong.empty() && done != found->second.bytes) wrong = "is shorter than the archive says";
    if (!wrong.empty()) fail("the entry \"" + name + "\" " + wrong);
  }
};

ZipReader::ZipReader(const std::string& path) : impl_(std::make_unique<Implementation>()) {
  impl_->path = path;
  require_regular_file(path, "\"" + path + "\"");
  int error = 0;
  impl_->archive = zip_open(path.c_str(), ZIP_RDONLY, &error);
  if (impl_->archive == nullptr) {
    if (error == ZIP_ER_NOENT || error == ZIP_ER_OPEN)
      throw InputError(fmt::format("cannot open \"{}\": {}", path, std::strerror(errno)));
    throw InputError(fmt::format("\"{}\" is no zip archive, or it is damaged ({})", path, words_of(error)));
  }
  const zip_int64_t count = zip_get_num_entries(impl_->archive, 0);
  if (count < 0 || count > kMostEntries) impl_->fail(fmt::format("{} entries are too many", count));
  for (zip_int64_t i = 0; i < count; ++i) impl_->add(static_cast<zip_uint64_t>(i));
}

ZipReader::~ZipReader() = default;

std::vector<std::string> ZipReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : impl_->entries) names.push_back(name);
  return names;
}

bool ZipReader::has(const std::string& name) const { return impl_->entries.contains(name); }

std::string ZipReader::text(const std::string& name, std::int64_t most_bytes) const {
  const auto found = impl_->entries.find(name);
  if (found != impl_->entries.end() && found->second.bytes > most_bytes) {
    impl_->fail(fmt::format("the entry \"{}\" has {} bytes, more than the {} that make sense", name,
                            found->second.bytes, most_bytes));
  }
  std::string text;
  impl_->read(name, [&](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return text;
}

MemoryFile ZipReader::file(const std::string& name) const {
  MemoryFile file(name);
  impl_->read(name, [&](std::span<const std::byte> bytes) { file.append(bytes); });
  return file;
}

namespace {

/// Where libzip writes: the file itself. Left to itself, libzip writes another file and renames it, and
/// whoever holds the first one open loses it.
struct Target {
  std::string path;
  int descriptor = -1;
  zip_error_t error{};

  ~Target() {
    if (descriptor >= 0) ::close(descriptor);
  }

  zip_int64_t failed(int code) {
    zip_error_set(&error, code, errno);
    return -1;
  }

  zip_int64_t begin() {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return descriptor < 0 ? failed(ZIP_ER_OPEN) : 0;
  }

  zip_int64_t write(const char* bytes, zip_uint64_t count) {
    for (zip_uint64_t done = 0; done < count;) {
      const ssize_t now = ::write(descriptor, bytes + done, count - done);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) return failed(ZIP_ER_WRITE);
      done += static_cast<zip_uint64_t>(now);
    }
    return static_cast<zip_int64_t>(count);
  }

  zip_int64_t seek(void* data, zip_uint64_t size) {
    const auto* to = ZIP_SOURCE_GET_ARGS(zip_source_args_seek, data, size, &error);
    if (to == nullptr) return -1;
    return ::lseek(descriptor, to->offset, to->whence) < 0 ? failed(ZIP_ER_SEEK) : 0;
  }

  zip_int64_t commit() {
    const int old = descriptor;
    descriptor = -1;
    return ::close(old) == 0 ? 0 : failed(ZIP_ER_WRITE);
  }
};

zip_int64_t serve(void* user, void* data, zip_uint64_t size, zip_source_cmd_t command) {
  Target& target = *static_cast<Target*>(user);
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(
          ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
          ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_BEGIN_WRITE,
          ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE,
          ZIP_SOURCE_WRITE, ZIP_SOURCE_REMOVE, -1);
    case ZIP_SOURCE_BEGIN_WRITE:
      return target.begin();
    case ZIP_SOURCE_WRITE:
      return target.write(static_cast<const char*>(data), size);
    case ZIP_SOURCE_SEEK_WRITE:
      return target.seek(data, size);
    case ZIP_SOURCE_TELL_WRITE:
      return ::lseek(target.descriptor, 0, SEEK_CUR);
    case ZIP_SOURCE_COMMIT_WRITE:
      return target.commit();
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&target.error, data, size);
    case ZIP_SOURCE_ROLLBACK_WRITE:
    case ZIP_SOURCE_REMOVE:
    case ZIP_SOURCE_FREE:
      return 0;
    default:  // there is nothing to read: the archive is new
      zip_error_set(&target.error, ZIP_ER_READ, ENOENT);
      return -1;
  }
}

}  // namespace

struct ZipWriter::Implementation {
  Target target;
  zip_t* archive = nullptr;
  std::deque<std::string> contents;  // libzip reads them when the archive is closed

  [[noreturn]] void fail(zip_error_t* error) const {
    if (zip_error_system_type(error) == ZIP_ET_SYS)
      throw_write_error(target.path, zip_error_code_system(error), -1);
    throw RuntimeError("cannot write \"" + target.path + "\": " + zip_error_strerror(error));
  }
  [[noreturn]] void fail() const { fail(zip_get_error(archive)); }

  void add(const std::string& name, zip_source_t* source) {
    if (source == nullptr) fail();
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail();
    }
    const auto entry = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kFirstDay =
        (1U << 5U) | 1U;  // 1 January 1980, so that equal content gives equal bytes
    if (zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, entry, 0, kFirstDay, 0) != 0)
      fail();
  }
};

ZipWriter::ZipWriter(std::string path) : impl_(std::make_unique<Implementation>()) {
  impl_->target.path = std::move(path);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_function_create(serve, &impl_->target, &error);
  if (source == nullptr) impl_->fail(&error);
  impl_->archive = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (impl_->archive != nullptr) return;
  zip_source_free(source);
  impl_->fail(&error);
}

ZipWriter::~ZipWriter() {
  if (impl_->archive != nullptr) zip_discard(impl_->archive);
}

void ZipWriter::add(const std::string& name, std::string bytes) {
  const std::string& kept = impl_->contents.emplace_back(std::move(bytes));
  impl_->add(name, zip_source_buffer(impl_->archive, kept.data(), kept.size(), 0));
}

void ZipWriter::add_file(const std::string& name, const std::string& source) {
  impl_->add(name, zip_source_file(impl_->archive, source.c_str(), 0, -1));
}

void ZipWriter::finish(const std::string& comment) {
  const auto length = static_cast<zip_uint16_t>(comment.size());
  if (!comment.empty() && zip_set_archive_comment(impl_->archive, comment.data(), length) != 0) impl_->fail();
  if (zip_close(impl_->archive) != 0) impl_->fail();
  impl_->archive = nullptr;
}

std::string zip_version() { return zip_libzip_version(); }

}  // namespace nntrain::io
