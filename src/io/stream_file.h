#pragma once
// Writing without a rename: to the end of a file that grows (a log of rows), and into devices and pipes.

#include <string>
#include <string_view>

#include "io/system.h"

namespace nntrain::io {

/// Appends `text` to the file at `path`, which is made when it is missing, and brings it to the disk: all of
/// it or, when that fails, nothing. WriteError, InputError for what is no regular file.
void append_to_file(const std::string& path, std::string_view text, System& system = System::posix());

/// A device, a pipe or one of the process's own descriptors (/dev/stdout, /dev/stderr, /dev/fd/N,
/// /proc/self/fd/N): what is written without a rename.
bool is_stream(const std::string& path);
/// Does `path` name the standard output of this process?
bool is_standard_output(const std::string& path);

/// Buffers, writes at once what is more than a buffer. close() before the end: it says whether all went well.
class StreamFile {
 public:
  explicit StreamFile(std::string path, System& system = System::posix());
  ~StreamFile();
  StreamFile(const StreamFile&) = delete;
  StreamFile& operator=(const StreamFile&) = delete;
  void append(std::string_view bytes);
  void flush();  ///< what was appended is on its way
  void close();

 private:
  System& system_;
  std::string path_, buffer_;
  int descriptor_ = -1;
};

}  // namespace nntrain::io
