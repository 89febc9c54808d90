#pragma once
// The log of a run: rank 0 prints, the others are silent. Lines go to standard output and, when asked, to a
// file, which gets all of them whatever the screen shows.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace nntrain {

class Log {
 public:
  enum class Voice { kSilent, kSpeaks };

  explicit Log(Voice voice) : voice_(voice) {}

  /// From now on lines go to `path` too, appended. A silent log opens nothing. Throws InputError when the
  /// file cannot be opened, is no regular file or terminal-like device, or holds something that is no log of
  /// this program. No room on the disk is a NOTE, here and later: a log is not worth a run.
  void open(const std::string& path);

  /// A line of the log.
  void info(std::string_view line);
  /// "NOTE: ..." : advice that does not stop the run.
  void note(std::string_view line);
  /// A line for the file alone.
  void record(std::string_view line);
  /// Shows `line`, which fits the terminal's width, in place of the one drawn before; "" takes it away. Only
  /// on the screen, and gone when the next line comes.
  void draw(std::string_view line);
  /// From now on lines go to standard error: standard output holds nothing but the answer().
  void leave_stdout_to_the_answer() { screen_ = stderr; }
  /// What the user asked for, to standard output as it is. Throws RuntimeError when it cannot be written.
  void answer(std::string_view text);
  bool on_terminal() const;  ///< is standard output a terminal, and does this rank speak?
  void flush();

 private:
  friend class QuietScreen;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void file_failed(int error);

  Voice voice_;
  std::FILE* screen_ = stdout;  ///< where lines go
  bool quiet_screen_ = false;
  std::int64_t drawn_columns_ = 0;
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// While one lives, and it was made with true, lines of `log` go to its file alone.
class QuietScreen {
 public:
  QuietScreen(Log& log, bool quiet) : log_(log), before_(log.quiet_screen_) {
    log_.quiet_screen_ = before_ || quiet;
  }
  ~QuietScreen() { log_.quiet_screen_ = before_; }
  QuietScreen(const QuietScreen&) = delete;
  QuietScreen& operator=(const QuietScreen&) = delete;

 private:
  Log& log_;
  bool before_;
};

}  // namespace nntrain
