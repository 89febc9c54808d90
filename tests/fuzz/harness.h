#pragma once
// What the fuzz targets have in common (libFuzzer with clang; tests/fuzz/run.sh). Every outcome of a read but
// an InputError that says something, or a clean end, ends the process: a crash, another exception, memory, a
// leak. Where there are several ways to read an input (as inputs or targets, this dataset or that), its bytes
// choose one of them, so that an execution is one read.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace nntrain::fuzz {

using Read = std::function<void(const std::uint8_t*, std::size_t)>;

/// The reader of this name; empty: this program has none. Each program of tests/fuzz has its own.
Read reader(const std::string& name);

/// What is wrong with the input is told; anything else is a finding.
void attempt(const std::function<void()>& read);

/// A number below `ways` that hangs on every byte.
std::size_t choose(std::size_t ways, const std::uint8_t* bytes, std::size_t size);

std::string text_of(const std::uint8_t* bytes, std::size_t size);

/// A file in memory that holds the input; one a process, open all the time.
class InputFile {
 public:
  explicit InputFile(const std::string& ending);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& hold(const std::uint8_t* bytes, std::size_t size) const;

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace nntrain::fuzz
