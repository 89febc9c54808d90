#include "cli/log.h"

namespace nntrain::cli::log {

Log& standard() {
  static Log log(Log::Voice::kSpeaks);
  return log;
}

void start(Log::Voice voice) { standard() = Log(voice); }
void leave_stdout_to_the_answer() { standard().leave_stdout_to_the_answer(); }
void answer(std::string_view text) { standard().answer(text); }
void info(std::string_view line) { standard().info(line); }
void note(std::string_view line) { standard().note(line); }
void record(std::string_view line) { standard().record(line); }
void draw(std::string_view line) { standard().draw(line); }
bool on_terminal() { return standard().on_terminal(); }
void flush() { standard().flush(); }

}  // namespace nntrain::cli::log
