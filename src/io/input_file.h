#pragma once
// A stream of bytes from a plain or gzip file (RFC 1952, several members too). Untrusted: truncated or
// damaged streams throw InputError naming the file. Local.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/gzip_points.h"

namespace nntrain::io {

/// What is read is a regular file: it is read more than once, in places, and by several ranks, and to open a
/// pipe waits for its writer. InputError, with what it is and the cure, for a folder, pipe, device or socket;
/// `name` begins the message. A path that leads nowhere passes.
void require_regular_file(const std::string& path, const std::string& name);

class InputFile {
 public:
  /// Opens by content: gzip is told by its magic. `label` begins every message, e.g. the configuration key
  /// ("data.inputs"); it may be empty. InputError: missing, a directory, not readable, empty.
  explicit InputFile(const std::string& path, const std::string& label = {});
  ~InputFile();
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;

  const std::string& name() const;  ///< for messages: `data.inputs "images.gz"`
  bool compressed() const;
  std::int64_t file_bytes() const;  ///< on disk

  /// Throws InputError unless the whole stream, from its beginning, holds exactly `bytes`; `what` says why
  /// they are expected. Plain files: their size. gzip: the length in its trailer together with deflate's
  /// limit (1032 bytes a byte); where they do not fit, the stream is inflated once to count (several members,
  /// damage). So memory for a header's promise may be taken afterwards.
  void expect_stream_bytes(std::int64_t bytes, const std::string& what) const;

  /// The first bytes of the stream without consuming them: up to 64 KiB, fewer only when the stream is
  /// shorter. Only before the first read.
  std::span<const std::byte> peek();
  /// Reads up to `memory.size()` bytes, fewer only at the end. gzip: the CRC is checked there.
  std::size_t read_some(std::span<std::byte> memory);
  /// Reads exactly `memory.size()` bytes or throws InputError: `what` says what was being read.
  void read_exactly(std::span<std::byte> memory, const std::string& what);
  /// Of a gzip file: places for seek().
  void use_points(std::shared_ptr<GzipPoints> points);
  /// Before the first read: if they are not complete, reading the file from its beginning to its end adds
  /// them.
  void collect_points();
  /// The next read begins at this byte of the stream. gzip: without complete places the whole file is
  /// inflated once, its CRC checked.
  void seek(std::int64_t offset);
  /// Throws InputError when bytes are left; checks the CRC of a gzip stream. `what`: what the file should
  /// hold.
  void expect_end(const std::string& what);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain::io
