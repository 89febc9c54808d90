#include "train/step/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/json.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"

namespace nntrain::train {

namespace {

constexpr std::string_view kStart = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
constexpr const char* kLaneNames[kLanes] = {"steps", "activities", "layers", "waiting"};

/// With quotes and escapes. Names are the user's text and may hold anything, bytes that are not UTF-8 too.
std::string quoted(const std::string& text) { return json_text(text); }

std::int64_t nanoseconds(Profile::Clock::duration span) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(span).count();
}

}  // namespace

bool is_profile(const std::string& path) { return io::first_bytes(path, kStart.size()) == kStart; }

Profile::Profile(comm::Session& session, std::string path) : session_(session), path_(std::move(path)) {
  comm::collectively(session_, "run.profile = " + path_, [&] {
    if (!session_.is_root()) return;
    io::try_output(path_, 0);
  });
  events_.reserve(static_cast<std::size_t>(std::min(kMostEventsOfRank, kMostEvents / session.size())));
  session_.barrier();
  zero_ = Clock::now();
}

int Profile::name(std::string_view text) {
  const auto found = std::find(names_.begin(), names_.end(), text);
  const auto number = static_cast<int>(found - names_.begin());
  if (found == names_.end()) names_.emplace_back(text);
  return number;
}

void Profile::add(Lane lane, int name, Clock::time_point start, Clock::time_point end) {
  if (events_.size() == events_.capacity()) {
    ++dropped_;
    return;
  }
  events_.push_back({nanoseconds(start - zero_), nanoseconds(end - start), name, lane});
}

/// This rank's events, and what names the rank and its lanes: a process and its threads in Chrome's words.
std::string Profile::text() const {
  const int rank = session_.rank();
  std::string text = fmt::format(R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":{}}}}})", rank,
                                 quoted(fmt::format("rank {} on {}", rank, session_.host())));
  for (int lane = 0; lane < kLanes; ++lane) {
    fmt::format_to(
        std::back_inserter(text),
        ",\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":\"{}\"}}}}",
        rank, lane, kLaneNames[lane]);
  }
  std::vector<std::string> names;
  std::size_t longest = 0;
  for (const std::string& name : names_) {
    names.push_back(quoted(name));
    longest = std::max(longest, names.back().size());
  }
  text.reserve(text.size() + events_.size() * (longest + 80));
  for (const Event& event : events_) {  // microseconds
    fmt::format_to(std::back_inserter(text),
                   ",\n{{\"name\":{},\"ph\":\"X\",\"pid\":{},\"tid\":{},\"ts\":{:.3f},\"dur\":{:.3f}}}",
                   names[static_cast<std::size_t>(event.name)], rank, static_cast<int>(event.lane),
                   static_cast<double>(event.start_ns) * 1e-3, static_cast<double>(event.length_ns) * 1e-3);
  }
  return text;
}

std::int64_t Profile::write() {
  const std::string mine = text();
  const auto parts = session_.gather(std::as_bytes(std::span(mine.data(), mine.size())));
  comm::collectively(session_, "write run.profile = " + path_, [&] {
    if (!session_.is_root()) return;
    io::AtomicFile file(path_);
    file.append(kStart);
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      file.append(rank == 0 ? "" : ",\n");
      file.append({reinterpret_cast<const char*>(parts[rank].data()), parts[rank].size()});
    }
    file.append("\n]}\n");
    file.commit();
  });
  std::int64_t dropped = 0;
  for (const auto& one : session_.all_gather(std::as_bytes(std::span(&dropped_, 1)))) {
    dropped += *reinterpret_cast<const std::int64_t*>(one.data());
  }
  return dropped;
}

}  // namespace nntrain::train
