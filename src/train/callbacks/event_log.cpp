#include "train/callbacks/event_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "core/error.h"
#include "io/atomic_file.h"

namespace nntrain::train {

namespace fs = std::filesystem;

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

EventLog::EventLog(std::string folder, std::string run) : folder_(std::move(folder)), run_(std::move(run)) {}

void EventLog::begin(const Start& start) {
  file_.reset();
  old_.clear();
  std::error_code error;
  if (!fs::is_directory(folder_, error)) return;
  std::vector<fs::path> mine;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("events.out.tfevents.") && name.ends_with("." + run_)) mine.push_back(entry.path());
  }
  std::sort(mine.begin(), mine.end());
  for (const fs::path& path : mine) {
    const std::string name = path.filename().string();
    const auto size = static_cast<std::int64_t>(fs::file_size(path, error));
    std::int64_t kept = start.kind == Start::Kind::kKeep ? size : 0;
    if (start.kind == Start::Kind::kCut && start.checkpoint.contains(name) &&
        start.checkpoint[name].is_number_integer())
      kept = std::min(size, start.checkpoint[name].get<std::int64_t>());
    if (kept <= 0) {
      fs::remove(path, error);
    } else {
      if (kept < size) fs::resize_file(path, static_cast<std::uintmax_t>(kept), error);
      old_.push_back({name, kept});
    }
    if (error) throw RuntimeError("TensorBoard: cannot cut \"" + path.string() + "\": " + error.message());
  }
}

EventFile& EventLog::file() {
  if (file_) return *file_;
  io::create_directories(folder_);
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const double now = wall_time();
  // TensorBoard reads a folder's files in the order of their names, and never goes back: the time leads, and
  // the number of the run's sessions parts those of one second.
  const auto second = static_cast<std::int64_t>(now);
  std::string path;
  for (std::size_t number = old_.size(); path.empty() || fs::exists(path); ++number) {
    path = (fs::path(folder_) / fmt::format("events.out.tfevents.{:010d}.{:04d}.{}.{}.{}", second, number,
                                            host.data(), ::getpid(), run_))
               .string();
  }
  file_ = std::make_unique<EventFile>(path, now);
  file_->flush();
  return *file_;
}

void EventLog::flush() {
  if (file_) file_->flush();
}

Json EventLog::state() const {
  Json state = Json::object();
  for (const Old& old : old_) state[old.name] = old.bytes;
  if (file_) state[fs::path(file_->path()).filename().string()] = file_->bytes();
  return state;
}

}  // namespace nntrain::train
