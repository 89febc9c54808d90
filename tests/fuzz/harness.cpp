#include "fuzz/harness.h"

#include <fcntl.h>
#include <sanitizer/lsan_interface.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "io/hdf5.h"

/// <hdf5.h> is for src/io alone.
extern "C" int H5set_free_list_limits(int, int, int, int, int, int);

namespace nntrain::fuzz {

namespace {

/// A file that is opened takes 512 KiB for its cache of metadata (H5C_t), for which each execution got fresh
/// pages from the system: libhdf5 keeps what is released, up to 64 KiB of a kind. 1 MiB here; the other
/// limits (of all kinds, of arrays, of blocks) as they were.
void keep_memory_of_hdf5() {
  static_cast<void>(io::hdf5_version());  // sets libhdf5 up as the program does
  H5set_free_list_limits(4 << 20, 1 << 20, 4 << 20, 256 << 10, 16 << 20, 1 << 20);
}

/// Looks for leaks every so many inputs. libFuzzer itself looks after each input that leaves more memory than
/// it found, and no more after a thousand such; libhdf5 keeps some, so that these are soon over, and took
/// half of the time until then.
class LeakWatch {
 public:
  void before(const std::uint8_t* bytes, std::size_t size) {
    if (ends_.size() == kInputs) look();
    recent_.insert(recent_.end(), bytes, bytes + size);
    ends_.push_back(recent_.size());
  }

  void look() {
    if (__lsan_do_recoverable_leak_check() != 0) {
      keep_inputs();
      std::fprintf(stderr, "ERROR: one of the last %zu inputs, which are kept, leaks\n", ends_.size());
      std::fflush(stderr);
      std::_Exit(77);
    }
    recent_.clear();
    ends_.clear();
  }

 private:
  static constexpr std::size_t kInputs = 500;

  void keep_inputs() const {
    const char* folder = std::getenv("NNTRAIN_FUZZ_LEAKS");
    const std::string beginning = folder != nullptr ? folder : "leak-";
    for (std::size_t i = 0, begin = 0; i < ends_.size(); begin = ends_[i++]) {
      std::ofstream(beginning + std::to_string(i), std::ios::binary)
          .write(reinterpret_cast<const char*>(recent_.data()) + begin,
                 static_cast<std::streamsize>(ends_[i] - begin));
    }
  }

  std::vector<std::uint8_t> recent_;
  std::vector<std::size_t> ends_;
};

extern "C" void too_slow(int /*signal*/) {
  constexpr char kMessage[] = "ERROR: ten seconds of the processor for one input\n";
  static_cast<void>(!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1));
  std::abort();  // libFuzzer keeps the input
}

/// Each input has ten seconds of the processor. libFuzzer's own limit is by the clock, which runs on while a
/// machine is busy with something else; that is for inputs that wait.
void start_watch() {
  const itimerval limit{{0, 0}, {10, 0}};
  ::setitimer(ITIMER_PROF, &limit, nullptr);
}

LeakWatch& leak_watch() {
  static LeakWatch* const watch = [] {
    std::atexit([] { leak_watch().look(); });
    return new LeakWatch;
  }();
  return *watch;
}

}  // namespace

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
  // Of the C++ library, where no counter slows the loop.
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  return (std::hash<std::string_view>()(text) >> 32U) % ways;
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
    nntrain::fuzz::keep_memory_of_hdf5();
    std::signal(SIGPROF, nntrain::fuzz::too_slow);
    return found;
  }();
  nntrain::fuzz::leak_watch().before(bytes, size);
  nntrain::fuzz::start_watch();
  read(bytes, size);
  return 0;
}
