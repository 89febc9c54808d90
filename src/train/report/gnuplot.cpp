#include "train/report/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace nntrain::train {

namespace {

/// A file without a name: gone when it is closed.
std::FILE* nameless_file() {
  std::FILE* file = std::tmpfile();
  if (file == nullptr)
    throw RuntimeError(std::string("cannot make a temporary file for gnuplot: ") + std::strerror(errno));
  return file;
}

/// What the child sees: three descriptors and nothing of the run's files and sockets.
class Redirections {
 public:
  Redirections(int input, const std::string& output, int errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, output.c_str(), O_WRONLY | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
#endif
  }
  ~Redirections() { posix_spawn_file_actions_destroy(&actions_); }
  Redirections(const Redirections&) = delete;
  Redirections& operator=(const Redirections&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  explicit Attributes(GnuplotPriority priority) {
    posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGTERM, SIGUSR1}) sigaddset(&defaults, number);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    short flags = POSIX_SPAWN_SETSIGDEF;
    if (priority == GnuplotPriority::kIdle) {
      const sched_param none{};
      posix_spawnattr_setschedpolicy(&attributes_, SCHED_IDLE);
      posix_spawnattr_setschedparam(&attributes_, &none);
      flags |= POSIX_SPAWN_SETSCHEDULER;
    }
    posix_spawnattr_setflags(&attributes_, flags);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

}  // namespace

Gnuplot::Gnuplot(const std::string& script, const std::string& path, GnuplotPriority priority)
    : file_(path),
      waits_for_disk_(priority == GnuplotPriority::kNormal),
      script_(nameless_file()),
      errors_(nameless_file()) {
  if (std::fwrite(script.data(), 1, script.size(), script_.get()) != script.size() ||
      std::fflush(script_.get()) != 0) {
    throw RuntimeError(std::string("cannot write the script for gnuplot: ") + std::strerror(errno));
  }
  std::rewind(script_.get());
  start(priority);
}

void Gnuplot::start(GnuplotPriority priority) {
  const Redirections redirections(fileno(script_.get()), file_.temporary_path(), fileno(errors_.get()));
  const Attributes attributes(priority);
  std::array<char, 8> name = {"gnuplot"};
  std::array<char, 3> no_user_settings = {"-d"};
  std::array<char*, 3> arguments = {name.data(), no_user_settings.data(), nullptr};
  pid_t process = -1;
  const int cause =
      posix_spawnp(&process, name.data(), redirections.get(), attributes.get(), arguments.data(), environ);
  if (cause == ENOENT) {
    throw InputError(
        "pictures are drawn by gnuplot, which is not here; install it (Debian, Ubuntu: apt-get install "
        "gnuplot-nox)");
  }
  if (cause != 0) throw RuntimeError(std::string("cannot start gnuplot: ") + std::strerror(cause));
  process_ = process;
}

Gnuplot::~Gnuplot() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool Gnuplot::wait(int options) {
  rusage used{};
  pid_t got = -1;
  do got = ::wait4(process_, &status_, options, &used);
  while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  processor_seconds_ = seconds(used.ru_utime) + seconds(used.ru_stime);
  process_ = -1;
  return true;
}

bool Gnuplot::ended() { return process_ < 0 || wait(WNOHANG); }

void Gnuplot::finish() {
  if (process_ >= 0) (void)wait(0);
  std::error_code unreadable;
  const bool drawn = std::filesystem::file_size(file_.temporary_path(), unreadable) > 0 && !unreadable;
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0 && drawn) {
    if (!waits_for_disk_) {
      if (std::rename(file_.temporary_path().c_str(), file_.path().c_str()) != 0)
        io::throw_write_error(file_.path(), errno);
      return;
    }
    file_.commit();
    return;
  }
  std::array<char, 500> words{};
  std::rewind(errors_.get());
  const std::size_t length = std::fread(words.data(), 1, words.size() - 1, errors_.get());
  throw RuntimeError(fmt::format("gnuplot could not draw \"{}\": {}", file_.path(),
                                 length > 0             ? std::string(words.data(), length)
                                 : WIFSIGNALED(status_) ? fmt::format("signal {}", WTERMSIG(status_))
                                                        : fmt::format("exit code {}", WEXITSTATUS(status_))));
}

}  // namespace nntrain::train
