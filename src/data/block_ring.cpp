#include "data/block_ring.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>

#include "core/error.h"

namespace nntrain::data {

namespace {

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kControlBytes = 4096;
constexpr std::size_t kMessageBytes = 3072;

std::int64_t whole_lines(std::int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

/// Of the two lists of places, a slot each.
std::int64_t list_bytes(const StreamShape& shape) {
  return shape.is_shared() ? whole_lines(shape.slots * static_cast<std::int64_t>(sizeof(std::int64_t))) : 0;
}

}  // namespace

std::int64_t StreamShape::row_bytes() const {
  return sample_size * static_cast<std::int64_t>(element_bytes(element));
}

std::int64_t StreamShape::block_bytes() const { return whole_lines(blocks.block_rows() * row_bytes()); }

std::int64_t StreamShape::memory_bytes() const {
  return kControlBytes + kLine * ranks + 2 * list_bytes(*this) + slots * block_bytes();
}

/// At the beginning of the shared memory. The ranks are processes: these are the locks that work between
/// them.
struct BlockRing::Control {
  pthread_mutex_t mutex;
  pthread_cond_t more;                 ///< for who waits for rows: blocks have been read, or cannot be
  pthread_cond_t room;                 ///< for the reader: ranks are done with blocks, or with the pass
  std::atomic<std::int64_t> ready{0};  ///< places below it are in memory, or were
  std::atomic<std::int64_t> failed_place{-1};
  std::atomic<int> failure{kNone};
  bool stopping = false;
  std::int64_t begin = 0;  ///< the pass's first place
  char message[kMessageBytes] = "";

  Control() {
    pthread_mutexattr_t of_mutex;
    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&mutex, &of_mutex);
    pthread_condattr_t of_condition;
    pthread_condattr_init(&of_condition);
    pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&of_condition, CLOCK_MONOTONIC);
    pthread_cond_init(&more, &of_condition);
    pthread_cond_init(&room, &of_condition);
  }
};

class BlockRing::Lock {
 public:
  explicit Lock(Control& control) : control_(control) { pthread_mutex_lock(&control_.mutex); }
  ~Lock() { pthread_mutex_unlock(&control_.mutex); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Control& control_;
};

BlockRing::BlockRing(const StreamShape& shape, std::span<std::byte> memory)
    : control_(reinterpret_cast<Control*>(memory.data())),
      lines_(memory.data() + kControlBytes),
      ranks_(shape.ranks),
      count_(shape.slots),
      block_bytes_(shape.block_bytes()),
      slots_(lines_ + kLine * shape.ranks + 2 * list_bytes(shape)) {
  static_assert(Place::is_always_lock_free && std::atomic<int>::is_always_lock_free);
  static_assert(sizeof(Place) == sizeof(std::int64_t) && sizeof(Control) <= kControlBytes);
  if (static_cast<std::int64_t>(memory.size()) < shape.memory_bytes())
    throw RuntimeError("internal: too little memory for a stream");
  if (!shape.is_shared()) return;
  held_ = reinterpret_cast<Place*>(lines_ + kLine * shape.ranks);
  settled_ = reinterpret_cast<Place*>(lines_ + kLine * shape.ranks + list_bytes(shape));
}

void BlockRing::create() { new (control_) Control(); }

void BlockRing::begin(std::int64_t place) {
  const Lock lock(*control_);
  control_->ready.store(place, std::memory_order_release);
  control_->failed_place.store(-1, std::memory_order_release);
  control_->failure.store(kNone, std::memory_order_release);
  control_->stopping = false;
  control_->begin = place;
  for (int i = 0; i < ranks_; ++i) wanted(i).store(place, std::memory_order_release);
  for (std::int64_t i = 0; held_ != nullptr && i < count_; ++i) {
    held_[i].store(-1, std::memory_order_release);
    settled_[i].store(-1, std::memory_order_release);
  }
}

void BlockRing::stop() {
  const Lock lock(*control_);
  control_->stopping = true;
  pthread_cond_broadcast(&control_->room);
}

BlockRing::Place& BlockRing::wanted(int rank) const {
  return *reinterpret_cast<Place*>(lines_ + kLine * rank);
}

std::int64_t BlockRing::slowest() const {
  std::int64_t place = INT64_MAX;
  for (int i = 0; i < ranks_; ++i) place = std::min(place, wanted(i).load(std::memory_order_acquire));
  return place;
}

std::int64_t BlockRing::ready() const { return control_->ready.load(std::memory_order_acquire); }

bool BlockRing::holds(std::int64_t place) const {
  return held_[place % count_].load(std::memory_order_acquire) == place;
}

void BlockRing::add(std::int64_t place) {
  const Lock lock(*control_);
  std::int64_t ready = place + 1;
  if (held_ != nullptr) {  // they come from several nodes, in any order
    held_[place % count_].store(place, std::memory_order_release);
    for (ready = this->ready(); holds(ready);) ++ready;
    pthread_cond_signal(&control_->room);
  }
  control_->ready.store(ready, std::memory_order_release);
  pthread_cond_broadcast(&control_->more);
}

void BlockRing::settle(std::int64_t place) {
  const Lock lock(*control_);
  settled_[place % count_].store(place, std::memory_order_release);
  pthread_cond_signal(&control_->room);
}

void BlockRing::want(int rank, std::int64_t place) {
  Place& mine = wanted(rank);
  if (mine.load(std::memory_order_relaxed) == place) return;
  const Lock lock(*control_);
  mine.store(place, std::memory_order_release);
  pthread_cond_signal(&control_->room);
}

bool BlockRing::has_room(std::int64_t place) const {
  const std::int64_t before = place - count_;
  if (slowest() <= before) return false;
  if (held_ == nullptr || before < control_->begin) return true;
  // A rank may want blocks far behind: those between are read and sent all the same, because others want
  // them.
  return ready() > before && settled_[place % count_].load(std::memory_order_acquire) == before;
}

bool BlockRing::wait_for_room(std::int64_t place) const {
  const Lock lock(*control_);
  while (!control_->stopping && !has_room(place)) pthread_cond_wait(&control_->room, &control_->mutex);
  return !control_->stopping;
}

bool BlockRing::wait_a_moment(double seconds, const std::function<bool()>& is_ready) const {
  constexpr long kSecond = 1'000'000'000;
  timespec end{};
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_nsec += static_cast<long>(seconds * kSecond);
  end.tv_sec += end.tv_nsec / kSecond;
  end.tv_nsec %= kSecond;
  const Lock lock(*control_);
  while (!is_ready() && failure() == kNone) {
    if (pthread_cond_timedwait(&control_->more, &control_->mutex, &end) == ETIMEDOUT) return false;
  }
  return true;
}

void BlockRing::fail(Failure kind, const char* what, std::int64_t place) {
  const Lock lock(*control_);
  if (kind == kElsewhere && failure() != kNone) return;  // mine is the one that I can tell
  std::strncpy(control_->message, what, kMessageBytes - 1);
  control_->failure.store(kind, std::memory_order_release);
  if (kind != kElsewhere) control_->failed_place.store(place, std::memory_order_release);
  pthread_cond_broadcast(&control_->more);
}

int BlockRing::failure() const { return control_->failure.load(std::memory_order_acquire); }

std::int64_t BlockRing::failed_place() const {
  return control_->failed_place.load(std::memory_order_acquire);
}

const char* BlockRing::message() const { return control_->message; }

}  // namespace nntrain::data
