#pragma once
// The log of a run: rank 0 prints, the others are silent. Lines go to stdout (or, where stdout is for an
// answer that programs read, to stderr) and, when asked, to a file.

#include <string>
#include <string_view>

namespace nntrain::log {

enum class Voice { kSilent, kSpeaks };

/// Once, after the rank is known. `file` empty: stdout only. Throws InputError when the file cannot be
/// opened.
void start(Voice voice, const std::string& file);
/// From now on lines go to stderr: stdout holds nothing but the answer().
void leave_stdout_to_the_answer();
/// What the user asked for, to stdout as it is. Throws RuntimeError when it cannot be written.
void answer(std::string_view text);
/// A line of the log.
void info(std::string_view line);
/// "NOTE: ..." : advice that does not stop the run.
void note(std::string_view line);
/// Text without a newline, for the progress bar; stdout only, never the file.
void draw(std::string_view text);
/// Is stdout a terminal (and this rank speaks)?
bool on_terminal();
void flush();

}  // namespace nntrain::log
