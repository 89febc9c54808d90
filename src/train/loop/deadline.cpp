#include "train/loop/deadline.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

namespace nntrain::train {

namespace {

/// Times vary; work that took its longest yesterday may take a little longer today.
constexpr double kVariation = 1.1;

/// "0.21 s", "75 s"
std::string format_seconds(double seconds) {
  return seconds < 10 ? fmt::format("{:.2g} s", seconds) : fmt::format("{:.0f} s", seconds);
}

}  // namespace

Deadline::Deadline(double limit_seconds, std::string source)
    : limit_(limit_seconds), source_(std::move(source)) {}

Deadline Deadline::of_run(double max_seconds, const std::string& job_end, double now_unix, double now) {
  Deadline deadline;
  if (max_seconds > 0 && std::isfinite(max_seconds))
    deadline = Deadline(max_seconds, fmt::format("run.max_time ({})", format_seconds(max_seconds)));
  double end = 0;
  const char* const last = job_end.data() + job_end.size();
  const auto [read, error] = std::from_chars(job_end.data(), last, end);
  if (job_end.empty() || error != std::errc() || read != last || !std::isfinite(end)) return deadline;
  // Jobs without a limit get an end decades ahead, or 0: neither is one.
  constexpr double kTenYears = 10 * 365.25 * 86400;
  if (end <= 0 || end - now_unix > kTenYears) return deadline;
  const double limit = end - now_unix + now;
  if (limit < deadline.limit_) return {limit, "the end of the job (SLURM_JOB_END_TIME)"};
  return deadline;
}

void Deadline::took(Work work, double seconds) {
  Longest& longest = longest_[static_cast<std::size_t>(work)];
  longest.seconds = longest.measured ? std::max(longest.seconds, seconds) : seconds;
  longest.measured = true;
}

void Deadline::expect(Work work, double seconds) {
  Longest& longest = longest_[static_cast<std::size_t>(work)];
  if (!longest.measured) longest.seconds = std::max(longest.seconds, seconds);
}

double Deadline::closing_seconds() const { return std::clamp(0.01 * limit_, 0.0, 2.0); }

bool Deadline::must_stop_before(std::initializer_list<Work> next, double now) const {
  if (!has_limit()) return false;
  double need = longest(Work::kCheckpoint);
  for (const Work work : next) need += longest(work);
  return now + kVariation * need + closing_seconds() >= limit_;
}

std::string Deadline::reason(double now) const {
  return fmt::format("{}: {} left, a step takes up to {}, an evaluation {}, a checkpoint {}", source_,
                     format_seconds(std::max(seconds_left(now), 0.0)), format_seconds(longest(Work::kStep)),
                     format_seconds(longest(Work::kEvaluation)), format_seconds(longest(Work::kCheckpoint)));
}

double process_age_seconds() {
  std::ifstream file("/proc/self/stat");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string stat = text.str();
  // The second field is the program's name in parentheses, which may hold spaces and parentheses.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  constexpr int kStartTime = 22;
  for (int i = 3; i < kStartTime; ++i) fields >> field;
  double start_ticks = 0;
  timespec now{};
  if (!(fields >> start_ticks) || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  const double seconds = static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  return std::max(seconds - start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK)), 0.0);
}

}  // namespace nntrain::train
