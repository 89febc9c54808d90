#pragma once
// The program's own log: main starts it, the commands write to it and hand it to what they run.

#include <string_view>

#include "core/log.h"

namespace nntrain::cli::log {

Log& standard();
/// Once, after the rank is known.
void start(Log::Voice voice);
void leave_stdout_to_the_answer();
void answer(std::string_view text);
void info(std::string_view line);
void note(std::string_view line);
void record(std::string_view line);
void draw(std::string_view line);
bool on_terminal();
void flush();

}  // namespace nntrain::cli::log
