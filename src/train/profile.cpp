#include "nntrain/train/profile.h"

#include <fmt/format.h>

#include <fstream>

#include "nntrain/core/error.h"
#include "nntrain/io/atomic_file.h"

namespace nntrain::train {

Profile::Profile(comm::Session& session, std::size_t most_events) : session_(session) {
  events_.reserve(most_events);
  session_.barrier();
  zero_ = Clock::now();
}

void Profile::add(const char* name, Clock::time_point start, Clock::time_point end) {
  if (events_.size() == events_.capacity()) {
    ++dropped_;
    return;
  }
  events_.push_back({name, start, end});
}

void Profile::write(const std::string& path) {
  const auto microseconds = [](Clock::duration span) { return std::chrono::duration<double, std::micro>(span).count(); };
  std::string mine = fmt::format(R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":"rank {} on {}"}}}})", session_.rank(),
                                 session_.rank(), session_.host());
  for (const Event& event : events_) {
    mine += fmt::format(",\n{{\"name\":\"{}\",\"ph\":\"X\",\"pid\":{},\"tid\":0,\"ts\":{:.3f},\"dur\":{:.3f}}}", event.name, session_.rank(),
                        microseconds(event.start - zero_), microseconds(event.end - event.start));
  }
  const auto parts = session_.gather(std::as_bytes(std::span(mine.data(), mine.size())));
  comm::collectively(session_, "write run.profile = " + path, [&] {
    if (!session_.is_root()) return;
    io::AtomicFile file(path);
    std::ofstream stream(file.temporary_path(), std::ios::binary);
    stream << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
    for (std::size_t rank = 0; rank < parts.size(); ++rank) {
      stream << (rank == 0 ? "" : ",\n");
      stream.write(reinterpret_cast<const char*>(parts[rank].data()), static_cast<std::streamsize>(parts[rank].size()));
    }
    stream << "\n]}\n";
    stream.close();
    if (!stream) throw RuntimeError("cannot write run.profile = \"" + path + "\"; is the disk full?");
    file.commit();
  });
}

}  // namespace nntrain::train
