#pragma once
// Blocks of bytes beside a file that is being made, so that a process that was killed need not make them
// again: ".NAME.part". Each block has a hash; whatever a kill or a crash left of the last one is dropped.
// Nobody needs a journal: where it cannot be written there is none. Local; one process at a time has it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/system.h"

namespace nntrain::io {

class JournalFile {
 public:
  enum class Found {
    kNothing,
    kSame,     ///< blocks of this identity: next() has them
    kOther,    ///< those of another one, which are gone now
    kNotOurs,  ///< a file that is no journal: it stays, and nothing is kept
    kTaken     ///< another process has it: nothing is kept
  };

  /// Of the file `path`, links followed. `identity`: 64 characters that say what the blocks are made of.
  JournalFile(const std::string& path, const std::string& identity, System& system = System::posix());
  ~JournalFile();  ///< removes it: a process that ends by itself leaves no journal
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  Found found() const { return found_; }
  const std::string& path() const { return path_; }
  /// The next block that was kept; false behind the last.
  bool next(std::vector<std::byte>& block);
  /// Behind the last block.
  void append(std::span<const std::byte> block);

 private:
  void open(const std::string& identity);
  void begin(const std::string& identity);
  void give_up();

  System& system_;
  std::string path_;
  Found found_ = Found::kNothing;
  int descriptor_ = -1;
  std::int64_t at_ = 0, bytes_ = 0;
};

}  // namespace nntrain::io
