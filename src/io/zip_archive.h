#pragma once
// Zip archives (APPNOTE.TXT; libzip), as Keras' .keras and numpy's .npz use them: entries stored or deflated.
// An archive that is read is untrusted: names, methods and sizes are checked before memory is taken. Local.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nntrain::io {

/// A file in memory that has a path for this process, for libraries that read files only.
class MemoryFile {
 public:
  /// Throws RuntimeError when the system has none to give.
  explicit MemoryFile(const std::string& name);
  ~MemoryFile();
  MemoryFile(MemoryFile&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const;  ///< valid while this object lives
  void append(std::span<const std::byte> bytes);

 private:
  int descriptor_ = -1;
};

/// An archive opened for reading. Throws InputError, naming archive and entry.
class ZipReader {
 public:
  /// Refused: no zip file, damage, doubled names, names that lead out of a folder, encryption, methods other
  /// than "stored" and "deflate", sizes that no honest writer makes (zip bombs).
  explicit ZipReader(const std::string& path);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  std::vector<std::string> names() const;
  bool has(const std::string& name) const;
  /// The whole entry; at most `most_bytes`.
  std::string text(const std::string& name, std::int64_t most_bytes) const;
  MemoryFile file(const std::string& name) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// Writes an archive of stored entries into `path`, a new file or one that is emptied; equal content gives
/// equal bytes. Throws RuntimeError.
class ZipWriter {
 public:
  explicit ZipWriter(std::string path);
  ~ZipWriter();  ///< without finish(): nothing was written
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  void add(const std::string& name, std::string bytes);
  /// The file at `source` is read by finish().
  void add_file(const std::string& name, const std::string& source);
  /// `comment` stands at the archive's end; readers pass over it.
  void finish(const std::string& comment = "");

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

/// libzip's version, "1.7.3".
std::string zip_version();

}  // namespace nntrain::io
