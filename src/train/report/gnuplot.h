#pragma once
// gnuplot as a child process: started without a shell, its script comes through standard input, what it draws
// goes to a file that appears by rename. Local: one rank calls it.

#include <cstdio>
#include <memory>
#include <string>

#include "io/atomic_file.h"

namespace nntrain::train {

/// How much of the machine a gnuplot may take.
enum class GnuplotPriority {
  kNormal,
  kIdle,  ///< only what nobody else wants: beside a training rank on the same core
};

class Gnuplot {
 public:
  /// Starts drawing `script`, which sets no output of its own. Throws InputError naming the package when
  /// there is no gnuplot, RuntimeError when it cannot be started or `path` cannot be written.
  Gnuplot(const std::string& script, const std::string& path, GnuplotPriority priority);
  /// A gnuplot that still runs is ended; `path` keeps its old content.
  ~Gnuplot();
  Gnuplot(const Gnuplot&) = delete;
  Gnuplot& operator=(const Gnuplot&) = delete;

  /// Has it ended? Never waits.
  bool ended();
  /// Waits for the end; the file is at its path then. RuntimeError with gnuplot's own words when it failed.
  void finish();
  /// What it took of a core, once it has ended.
  double processor_seconds() const { return processor_seconds_; }

 private:
  void start(GnuplotPriority priority);
  /// Has it ended now? `options` are waitpid's.
  bool wait(int options);

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  io::AtomicFile file_;
  bool waits_for_disk_;  ///< a picture beside a training rank need not survive a power cut
  std::unique_ptr<std::FILE, Close> script_, errors_;
  int process_ = -1;
  int status_ = 0;
  double processor_seconds_ = 0;
};

}  // namespace nntrain::train
