#pragma once
// A stream of bytes from a plain or gzip file (RFC 1952, several members too). Untrusted: truncated or damaged
// streams throw InputError naming the file. Local.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace nntrain::io {

class InputFile {
 public:
  /// Opens by content: gzip is told by its magic. `label` begins every message, e.g. the configuration key
  /// ("data.inputs"); it may be empty. InputError: missing, a directory, not readable, empty.
  InputFile(const std::string& path, const std::string& label);
  ~InputFile();
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;

  const std::string& name() const;   ///< for messages: `data.inputs "images.gz"`
  bool compressed() const;
  std::int64_t file_bytes() const;   ///< on disk
  /// The most bytes that the rest of the stream can hold: the rest of a plain file; for gzip deflate's limit of
  /// 1032 bytes a byte, so a header can be checked before memory is taken.
  std::int64_t most_bytes_left() const;

  /// The first bytes of the stream without consuming them: up to 64 KiB, fewer only when the stream is shorter.
  std::span<const std::byte> peek();
  /// Reads up to `memory.size()` bytes, fewer only at the end; checks the CRC there.
  std::size_t read_some(std::span<std::byte> memory);
  /// Reads exactly `memory.size()` bytes or throws InputError: `what` says what was being read.
  void read_exactly(std::span<std::byte> memory, const std::string& what);
  /// Throws InputError when bytes are left: `what` says what the file should have ended with.
  void expect_end(const std::string& what);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain::io
