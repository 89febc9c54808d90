#pragma once
// What a command may write over. A command names its inputs, then asks for each output before it begins:
// nothing is written over an input of the same command, over another output of it, into a device or over a
// file that this program did not write. docs/files.md.

#include <functional>
#include <string>
#include <vector>

namespace nntrain::io {

class OutputGuard {
 public:
  /// `what` names the input in messages: "data.inputs". A path that leads nowhere is remembered by its name.
  void add_input(const std::string& path, const std::string& what);

  /// Is the file that is there one that this program wrote, for this purpose? Called for files that are not
  /// empty only.
  using IsOurs = std::function<bool(const std::string& path)>;
  /// Throws InputError when `path` is an input or an earlier output of the command (by device and inode,
  /// through links), a folder, a device, a pipe or a socket, or a file that `is_ours` does not know. Else it
  /// is remembered as an output.
  void add_output(const std::string& path, const std::string& what, const IsOurs& is_ours);
  /// The same for a file that may also be a device or a pipe: those are written to, not replaced.
  void add_stream(const std::string& path, const std::string& what, const IsOurs& is_ours);

 private:
  struct Entry {
    std::string name;  ///< folder with links followed, and the file's name
    unsigned long device = 0, inode = 0;
    bool exists = false;
    std::string what, path;
    bool is_input = false;
  };
  static Entry identify(const std::string& path, const std::string& what, bool is_input);
  void require_free(const Entry& output) const;

  std::vector<Entry> entries_;
};

/// The file's first `bytes` bytes, fewer when it is shorter or cannot be read.
std::string first_bytes(const std::string& path, std::size_t bytes);
/// Its last `bytes` bytes; "" when it is shorter or cannot be read.
std::string last_bytes(const std::string& path, std::size_t bytes);

}  // namespace nntrain::io
