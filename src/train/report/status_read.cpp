// How a run is doing, from its status file or from its checkpoint.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "io/process_identity.h"
#include "train/report/status_file.h"

namespace nntrain::train {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 1U << 20U;

std::int64_t seconds_of(const std::string& iso) {
  std::tm parts{};
  if (::strptime(iso.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr)
    throw InputError("\"" + iso + "\" is no time such as 2026-03-01T12:00:00Z");
  return ::timegm(&parts);
}

RunPhase phase_of(const std::string& name) {
  for (const RunPhase phase :
       {RunPhase::kRunning, RunPhase::kStopped, RunPhase::kFinished, RunPhase::kDiverged, RunPhase::kGone}) {
    if (name == run_phase_name(phase)) return phase;
  }
  throw InputError("unknown state \"" + name + "\"");
}

double number_or(const Json& value, double otherwise) {
  return value.is_number() ? value.get<double>() : otherwise;
}

RunStatus parse_status(const Json& json) {
  RunStatus status;
  status.phase = phase_of(json.at("state").get<std::string>());
  status.epoch = json.at("epoch").get<std::int64_t>();
  status.epochs = json.at("epochs").get<std::int64_t>();
  status.step = json.at("step").get<std::int64_t>();
  status.steps = json.at("steps").get<std::int64_t>();
  for (const auto& [name, value] : json.at("results").items())
    status.results.values.emplace_back(name, number_or(value, std::nan("")));
  status.samples_per_second = number_or(json.at("samples_per_second"), 0);
  status.seconds_left = number_or(json.at("seconds_left"), -1);
  status.ranks = json.at("ranks").get<int>();
  status.updated = json.at("updated").get<std::string>();
  status.seconds_since_update =
      static_cast<double>(std::max<std::int64_t>(0, std::time(nullptr) - seconds_of(status.updated)));
  status.reason = json.value("reason", "");
  return status;
}

io::ProcessIdentity process_of(const Json& json) {
  const Json process = json.value("process", Json::object());
  return {process.value("host", ""), process.value("pid", std::int64_t{0}),
          process.value("start", std::int64_t{0}), process.value("boot", ""),
          process.value("pid_namespace", "")};
}

/// Our own writing, yet a file that anything may have happened to.
Json read_json(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kMostBytes || error)
    throw InputError("the status file \"" + path + "\" is not one of nntrain-dist's");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  Json json = Json::parse(text.str(), nullptr, false);
  if (!file || json.is_discarded() || !json.is_object())
    throw InputError("the status file \"" + path +
                     "\" is damaged; remove it, and watch reads the checkpoint");
  return json;
}

RunStatus status_of_file(const std::string& path) {
  const Json json = read_json(path);
  RunStatus status;
  io::ProcessIdentity process;
  try {
    status = parse_status(json);
    process = process_of(json);
  } catch (const Json::exception& error) {
    throw InputError("the status file \"" + path + "\" is damaged (" + error.what() +
                     "); remove it, and watch reads the checkpoint");
  } catch (const InputError& error) {
    throw InputError("the status file \"" + path + "\" is damaged: " + error.what());
  }
  if (status.phase != RunPhase::kRunning) return status;
  const io::Alive alive = io::is_alive(process);
  const double silence = static_cast<double>(kStatusSilence.count());
  if (alive == io::Alive::kNo) {
    status.phase = RunPhase::kGone;
    status.reason = "its process has ended without a word";
  } else if (alive == io::Alive::kUnknown && status.seconds_since_update > silence) {
    status.phase = RunPhase::kGone;
    status.reason = fmt::format("no sign of it for {:.0f} s", status.seconds_since_update);
  }
  return status;
}

/// The number of the last line "key = N" of `section` in a checkpoint's INI text; 0: none.
std::int64_t whole_setting(const std::string& ini, const std::string& key) {
  const std::size_t at = ini.find("\n" + key + " = ");
  return at == std::string::npos ? 0 : std::strtoll(ini.c_str() + at + key.size() + 4, nullptr, 10);
}

RunStatus status_of_checkpoint(const std::string& path) {
  const checkpoint::Contents contents = checkpoint::read(path);
  if (!contents.ours)
    throw InputError("\"" + path +
                     "\" is a Keras file that nntrain-dist did not train; there is no run to watch");
  const Json& environment = contents.environment;
  RunStatus status;
  status.phase = contents.state.finished ? RunPhase::kFinished : RunPhase::kStopped;
  status.epoch = contents.state.epoch;
  status.epochs = environment.value("epochs", std::int64_t{0});
  status.step = contents.state.step;
  const auto rows = contents.data.value("rows", std::int64_t{0});
  const auto batch = std::max<std::int64_t>(1, environment.value("batch_size", std::int64_t{1}));
  status.steps = (rows + batch - 1) / batch;
  if (const std::int64_t cut = whole_setting(contents.config, "steps_per_epoch"); cut > 0)
    status.steps = std::min(status.steps, cut);
  status.ranks = environment.value("ranks", 1);
  double seconds = 0;
  for (const auto& [name, column] : contents.history.columns) {
    if (column.empty()) continue;
    if (name == "seconds") seconds = column.back();
    if (name != "seconds" && name != "epoch") status.results.values.emplace_back(name, column.back());
  }
  const auto samples = static_cast<double>(std::min(rows, status.steps * batch));
  if (seconds > 0) status.samples_per_second = samples / seconds;
  set_time_left(status, samples, static_cast<double>(batch));
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0) {
    status.updated = iso_time(file.st_mtime);
    status.seconds_since_update =
        static_cast<double>(std::max<std::int64_t>(0, std::time(nullptr) - file.st_mtime));
  }
  return status;
}

}  // namespace

void set_time_left(RunStatus& status, double samples_an_epoch, double samples_a_step) {
  if (status.phase == RunPhase::kFinished) {
    status.seconds_left = 0;
  } else if (status.samples_per_second > 0) {
    const double left = static_cast<double>(status.epochs - status.epoch) * samples_an_epoch -
                        static_cast<double>(status.step) * samples_a_step;
    status.seconds_left = std::max(0.0, left) / status.samples_per_second;
  }
}

RunStatus read_status(const std::string& checkpoint) {
  const std::string path = status_path(checkpoint);
  const bool has_checkpoint = checkpoint::exists(checkpoint);
  std::error_code error;
  // Empty: the machine lost its power before the file reached the disk.
  const bool has_file = fs::exists(path, error) && !fs::is_empty(path, error);
  if (!has_file && !has_checkpoint) {
    throw InputError("there is neither \"" + checkpoint + "\" nor its status file \"" + path +
                     "\"; give the checkpoint.path of the run");
  }
  RunStatus status = has_file ? status_of_file(path) : status_of_checkpoint(checkpoint);
  // Killed between its last checkpoint and its last word; not one that had begun to go on beyond that
  // checkpoint.
  if (status.phase == RunPhase::kGone && has_checkpoint) {
    const RunStatus last = status_of_checkpoint(checkpoint);
    const bool is_the_end = last.phase == RunPhase::kFinished && last.epoch >= status.epoch;
    if (is_the_end && last.epochs >= status.epochs) status = last;
  }
  status.checkpoint = checkpoint;
  return status;
}

}  // namespace nntrain::train
