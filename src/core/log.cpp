#include "core/log.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/error.h"

namespace nntrain::log {

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Voice voice = Voice::kSpeaks;
std::unique_ptr<std::FILE, Close> log_file;
std::FILE* stream = stdout;  ///< where lines go

void write_line(std::FILE* file, std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
}

}  // namespace

void start(Voice new_voice, const std::string& file) {
  voice = new_voice;
  log_file.reset();
  if (file.empty() || voice == Voice::kSilent) return;
  log_file.reset(std::fopen(file.c_str(), "a"));
  if (!log_file) throw InputError("run.log: cannot open \"" + file + "\" for writing");
}

void leave_stdout_to_the_answer() { stream = stderr; }

void answer(std::string_view text) {
  if (voice == Voice::kSilent) return;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    throw RuntimeError(std::string("cannot write to standard output: ") + std::strerror(errno));
}

void info(std::string_view line) {
  if (voice == Voice::kSilent) return;
  write_line(stream, line);
  std::fflush(stream);
  if (log_file) {
    write_line(log_file.get(), line);
    std::fflush(log_file.get());
  }
}

void note(std::string_view line) { info("NOTE: " + std::string(line)); }

void draw(std::string_view text) {
  if (voice == Voice::kSilent) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool on_terminal() {
  if (voice == Voice::kSilent || isatty(STDOUT_FILENO) != 1) return false;
  if (std::getenv("OMPI_COMM_WORLD_RANK") == nullptr) return true;
  // Open MPI gives its ranks a pseudo-terminal whatever becomes of their output: what counts is where the
  // launcher, our parent, writes to.
  std::array<char, 256> target{};
  const std::string link = "/proc/" + std::to_string(getppid()) + "/fd/1";
  const ssize_t length = readlink(link.c_str(), target.data(), target.size() - 1);
  return length > 0 && (std::string_view(target.data()).starts_with("/dev/pts/") ||
                        std::string_view(target.data()).starts_with("/dev/tty"));
}

void flush() { std::fflush(stdout); }

}  // namespace nntrain::log
