#include "fuzz/harness.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace nntrain::fuzz {

void attempt(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& error) {
    if (std::strlen(error.what()) >= 10 && std::strncmp(error.what(), "internal", 8) != 0) return;
    std::fprintf(stderr, "an empty or internal message: \"%s\"\n", error.what());
    std::abort();
  }
}

std::size_t choose(std::size_t ways, const std::uint8_t* bytes, std::size_t size) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 1099511628211ULL;
  return static_cast<std::size_t>(hash >> 32U) % ways;
}

std::string text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

InputFile::InputFile(const std::string& ending) {
  const char* shared = std::getenv("NNTRAIN_FUZZ_FOLDER");
  const std::string folder = shared != nullptr ? shared : std::filesystem::temp_directory_path().string();
  path_ = folder + "/input-" + std::to_string(::getpid()) + ending;
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

InputFile::~InputFile() {
  ::close(descriptor_);
  std::remove(path_.c_str());
}

const std::string& InputFile::hold(const std::uint8_t* bytes, std::size_t size) const {
  if (::pwrite(descriptor_, bytes, size, 0) != static_cast<ssize_t>(size) ||
      ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
    std::abort();
  return path_;
}

}  // namespace nntrain::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const nntrain::fuzz::Read read = [] {
    const char* name = std::getenv("NNTRAIN_READER");
    auto found = nntrain::fuzz::reader(name != nullptr ? name : "");
    if (!found) {
      std::fprintf(stderr, "NNTRAIN_READER names no reader of this program\n");
      std::exit(2);
    }
    return found;
  }();
  read(bytes, size);
  return 0;
}
