#include "train/report/status_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"
#include "io/process_identity.h"

namespace nntrain::train {

namespace {

constexpr std::chrono::seconds kInterval{2};
constexpr std::string_view kStart = "{\n \"state\": ";  ///< of every status file
constexpr int kShareOfTime = 500;  ///< a slow file system is written to at most 1/500 of the time

/// All of it or an errno; no fsync: after a power cut nobody asks how the run is doing.
int write_whole(const std::string& path, const std::string& text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return errno;
  int cause = 0;
  for (std::size_t done = 0; cause == 0 && done < text.size();) {
    const ssize_t wrote = ::write(descriptor, text.data() + done, text.size() - done);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
    if (wrote < 0 && errno != EINTR) cause = errno;
  }
  if (::close(descriptor) != 0 && cause == 0) cause = errno;
  return cause;
}

}  // namespace

const char* run_phase_name(RunPhase phase) {
  switch (phase) {
    case RunPhase::kRunning:
      return "running";
    case RunPhase::kStopped:
      return "stopped";
    case RunPhase::kFinished:
      return "finished";
    case RunPhase::kDiverged:
      return "diverged";
    default:
      return "gone";
  }
}

std::string status_path(const std::string& checkpoint) {
  return std::filesystem::path(checkpoint).replace_extension(".status.json").string();
}

std::string iso_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Json status_json(const RunStatus& status) {
  Json json = {{"state", run_phase_name(status.phase)},
               {"epoch", status.epoch},
               {"epochs", status.epochs},
               {"step", status.step},
               {"steps", status.steps}};
  Json rest = {
      {"samples_per_second", status.samples_per_second > 0 ? Json(status.samples_per_second) : Json()},
      {"seconds_left", status.seconds_left >= 0 ? Json(status.seconds_left) : Json()},
      {"ranks", status.ranks},
      {"checkpoint", status.checkpoint},
      {"updated", status.updated}};
  Json results = Json::object();
  for (const auto& [name, value] : status.results.values) {
    results[name] = std::isfinite(value) ? Json(value) : Json();  // JSON has no NaN
    if (!json.contains(name) && !rest.contains(name)) json[name] = results[name];
  }
  json.update(rest);
  json["results"] = results;
  if (!status.reason.empty()) json["reason"] = status.reason;
  return json;
}

void remove_abandoned_status(const std::string& checkpoint) {
  io::remove_abandoned_temporaries(status_path(checkpoint));
}

StatusFile::StatusFile(const std::string& checkpoint, Log& log)
    : log_(log), checkpoint_(checkpoint), path_(status_path(checkpoint)) {
  remove_abandoned_status(checkpoint);
  const std::string start = io::first_bytes(path_, kStart.size());
  if (start.empty() || start == kStart) return;
  fail("a file of another program has its name");
}

void StatusFile::update(const RunStatus& status) {
  if (failed_ || (status.phase == RunPhase::kRunning && !wants_update())) return;
  const Clock::time_point start = Clock::now();
  if (const std::string cause = write(status); !cause.empty()) fail(cause);
  const Clock::time_point end = Clock::now();
  next_ = end + std::max<Clock::duration>(kInterval, kShareOfTime * (end - start));
}

void StatusFile::fail(const std::string& cause) {
  failed_ = true;
  log_.note("the status file " + path_ + " cannot be written (" + cause +
            "): nntrain-dist watch will not see this run");
}

std::string StatusFile::write(const RunStatus& status) const {
  RunStatus now = status;
  now.checkpoint = checkpoint_;
  now.updated = iso_time(std::time(nullptr));
  Json json = status_json(now);
  const auto process = io::ProcessIdentity::of_this_process();
  json["process"] = {{"host", process.host},
                     {"pid", process.pid},
                     {"start", process.start},
                     {"boot", process.boot},
                     {"pid_namespace", process.pid_namespace}};
  const std::filesystem::path path(path_);
  const std::string temporary = io::temporary_name(path_);
  try {
    io::create_directories(path.parent_path().string());
  } catch (const Error& error) {
    return error.what();
  }
  int cause = write_whole(temporary, json.dump(1) + "\n");
  if (cause == 0 && std::rename(temporary.c_str(), path_.c_str()) != 0) cause = errno;
  if (cause == 0) return "";
  ::unlink(temporary.c_str());
  return std::strerror(cause);
}

}  // namespace nntrain::train
