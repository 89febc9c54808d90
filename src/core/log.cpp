#include "nntrain/core/log.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "nntrain/core/error.h"

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

bool on_terminal() { return voice == Voice::kSpeaks && isatty(STDOUT_FILENO) == 1; }

void flush() { std::fflush(stdout); }

}  // namespace nntrain::log
