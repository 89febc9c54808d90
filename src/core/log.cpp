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

void info(std::string_view line) {
  if (voice == Voice::kSilent) return;
  write_line(stdout, line);
  std::fflush(stdout);
  if (!log_file) return;
  write_line(log_file.get(), line);
  if (std::fflush(log_file.get()) == 0 && std::ferror(log_file.get()) == 0) return;
  const std::string cause = std::strerror(errno);
  log_file.reset();  // before the note, which is a line of the log
  note("run.log: " + cause + "; the file ends here, the run goes on");
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
