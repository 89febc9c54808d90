#pragma once
// A clock beside calls that wait inside MPI for every rank: MPI_Init, MPI_Finalize. Nobody looks at the time
// there, so a rank that is stopped, or a network over which nothing arrives, would mean silence for ever.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace nntrain::comm {

/// How long ranks wait for one another, and what messages call it.
struct Patience {
  double seconds = 600;
  std::string text = "10:00";
};

/// While one lives: a NOTE after 30, 60, ... s, and when patience is over one block on standard error, which
/// names the ranks of this host that are stopped, and the end of this process, whereupon the launcher ends
/// the others. A thread, since the one that waits is MPI's; it makes no call of MPI. Local.
class MpiWatch {
 public:
  /// `phase`: "start" or "end". `patience` is asked, by the thread, once the wait has become long, and
  /// again when it is over: more of it then means that this process has been told to end.
  MpiWatch(std::string phase, std::function<Patience()> patience);
  ~MpiWatch();
  MpiWatch(const MpiWatch&) = delete;
  MpiWatch& operator=(const MpiWatch&) = delete;

 private:
  void watch();
  bool ends_within(double seconds);

  std::string phase_;
  std::function<Patience()> patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;  ///< the last member: it sees the others made
};

}  // namespace nntrain::comm
