#pragma once
// One of TensorBoard's folders (train, validation) of one run, over stops and resumes: every session of the
// run writes a file of its own, and a resumed run first cuts what came after its checkpoint.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "train/callbacks/event_file.h"

namespace nntrain::train {

class EventLog {
 public:
  /// `run` tells the files of this run from those of others in the same folder.
  EventLog(std::string folder, std::string run);

  /// How a run takes over the files that it has here already.
  struct Start {
    enum class Kind {
      kFresh,  ///< they go
      kCut,    ///< they are cut to their lengths at the checkpoint; those that did not exist then go
      kKeep    ///< they stay as they are
    } kind = Kind::kFresh;
    Json checkpoint = {};  ///< kCut: what state() said then
  };
  /// Throws RuntimeError.
  void begin(const Start& start);
  /// Of this session; made when it is first asked for.
  EventFile& file();
  /// Everything is in the files then.
  void flush();
  /// {"name": bytes} of every file of the run, as of the last flush().
  Json state() const;

 private:
  struct Old {
    std::string name;
    std::int64_t bytes;
  };
  std::string folder_, run_;
  std::vector<Old> old_;
  std::unique_ptr<EventFile> file_;
};

/// Seconds since 1970, as events carry them.
double wall_time();

}  // namespace nntrain::train
