#include "core/log.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/terminal.h"

namespace nntrain {

namespace {

/// The first words of every log file, by which a later run knows it from another file.
constexpr std::string_view kFirstWords = "nntrain-dist";

bool no_room(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

/// 0, or errno.
int write_line(std::FILE* file, std::string_view line) {
  errno = 0;
  const bool written = std::fwrite(line.data(), 1, line.size(), file) == line.size() &&
                       std::fputc('\n', file) != EOF && std::fflush(file) == 0;
  return written ? 0 : errno == 0 ? EIO : errno;
}

/// Nothing is appended to data, configurations or checkpoints that a slip of the pen named as the log.
void check_is_log(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return;
  if (S_ISDIR(status.st_mode)) throw InputError("run.log: \"" + path + "\" is a folder");
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return;
  std::array<char, kFirstWords.size()> first{};
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return;  // opening it for writing tells why
  const std::size_t got = std::fread(first.data(), 1, first.size(), file);
  std::fclose(file);
  if (std::string_view(first.data(), got) != kFirstWords) {
    throw InputError("run.log: \"" + path +
                     "\" exists and is no log of this program; give another name, or "
                     "move the file away");
  }
}

}  // namespace

void Log::open(const std::string& path) {
  if (path.empty() || voice_ == Voice::kSilent) return;
  check_is_log(path);
  path_ = path;
  file_.reset(std::fopen(path.c_str(), "a"));
  if (file_) return;
  if (!no_room(errno))
    throw InputError("run.log: cannot open \"" + path + "\" for writing: " + std::strerror(errno));
  file_failed(errno);
}

void Log::file_failed(int error) {
  file_.reset();
  const bool quiet = quiet_screen_;
  quiet_screen_ = false;
  note("run.log: cannot write to \"" + path_ + "\": " + std::strerror(error) +
       "; the run goes on, its log is on the screen alone");
  quiet_screen_ = quiet;
}

void Log::record(std::string_view line) {
  if (!file_) return;
  if (const int error = write_line(file_.get(), line); error != 0) file_failed(error);
}

void Log::info(std::string_view line) {
  if (voice_ == Voice::kSilent) return;
  if (!quiet_screen_) {
    draw("");
    write_line(screen_, line);
  }
  record(line);
}

void Log::note(std::string_view line) { info("NOTE: " + std::string(line)); }

void Log::draw(std::string_view line) {
  if (voice_ == Voice::kSilent || (line.empty() && drawn_columns_ == 0)) return;
  const std::int64_t columns = terminal::width_of(line);
  std::string text = "\r" + std::string(line);
  if (columns < drawn_columns_) text += std::string(static_cast<std::size_t>(drawn_columns_ - columns), ' ');
  if (line.empty()) text += "\r";
  drawn_columns_ = columns;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Log::answer(std::string_view text) {
  if (voice_ == Voice::kSilent) return;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    throw RuntimeError(std::string("cannot write to standard output: ") + std::strerror(errno));
}

bool Log::on_terminal() const { return voice_ == Voice::kSpeaks && terminal::is_output(); }

void Log::flush() {
  draw("");
  std::fflush(stdout);
}

}  // namespace nntrain
