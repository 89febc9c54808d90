#include "data/block_stream.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <thread>

#include "core/error.h"

namespace nntrain::data {

namespace {

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kControlBytes = 4096;
constexpr std::size_t kMessageBytes = 3072;
constexpr std::int64_t kRowsAtATime = 16;
constexpr double kMoment = 0.1;  ///< seconds between looks of who waits

std::int64_t whole_lines(std::int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

enum Failure : int { kNone, kInput, kRuntime };

}  // namespace

/// At the beginning of the shared memory; behind it, a line each, the first place that each rank still wants.
/// The ranks are processes: these are the locks that work between them.
struct BlockStream::Control {
  pthread_mutex_t mutex;
  pthread_cond_t more;                 ///< for who waits for rows: blocks have been read, or cannot be
  pthread_cond_t room;                 ///< for the reader: ranks are done with blocks, or with the pass
  std::atomic<std::int64_t> ready{0};  ///< places below it are in memory, or were
  std::atomic<int> failure{kNone};
  bool stopping = false;
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

  class Lock {
   public:
    explicit Lock(Control& control) : control_(control) { pthread_mutex_lock(&control_.mutex); }
    ~Lock() { pthread_mutex_unlock(&control_.mutex); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    Control& control_;
  };
};

std::int64_t StreamShape::row_bytes() const {
  return sample_size * static_cast<std::int64_t>(element_bytes(element));
}

std::int64_t StreamShape::block_bytes() const { return whole_lines(blocks.block_rows() * row_bytes()); }

std::int64_t StreamShape::memory_bytes() const {
  return kControlBytes + kLine * ranks + slots * block_bytes();
}

BlockStream::BlockStream(StreamShape shape, std::span<std::byte> memory, int rank,
                         std::unique_ptr<ArraySource> source)
    : shape_(std::move(shape)),
      control_(reinterpret_cast<Control*>(memory.data())),
      ring_(memory.data() + kControlBytes + kLine * shape_.ranks),
      rank_(rank),
      source_(std::move(source)) {
  static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
  static_assert(sizeof(Control) <= kControlBytes);
  if (static_cast<std::int64_t>(memory.size()) < shape_.memory_bytes())
    throw RuntimeError("internal: too little memory for a stream");
  if (source_ != nullptr) new (control_) Control();
}

BlockStream::~BlockStream() { stop(); }

void BlockStream::stop() {
  sampler_.reset();
  if (source_ == nullptr) return;
  {
    const Control::Lock lock(*control_);
    control_->stopping = true;
    pthread_cond_broadcast(&control_->room);
  }
  try {
    job_.wait();
  } catch (const std::exception&) {  // whoever waits knows it from the control block
  }
}

bool BlockStream::stands_at(std::int64_t pass, std::int64_t position) const {
  return sampler_ && pass_ == pass && next_ == position;
}

void BlockStream::begin(const Sampler& sampler, std::int64_t pass, std::int64_t position) {
  if (sampler.order() == Order::kShuffled ||
      (sampler.order() == Order::kBlocks && sampler.window() > shape_.slots))
    throw RuntimeError("internal: an order that cannot be streamed");
  stop();
  sampler_.emplace(sampler);
  pass_ = pass;
  next_ = position;
  if (source_ == nullptr) return;
  const std::int64_t place =
      position < shape_.blocks.rows() ? place_of(position) / window() * window() : places();
  {
    const Control::Lock lock(*control_);
    control_->ready.store(place, std::memory_order_release);
    control_->failure.store(kNone, std::memory_order_release);
    control_->stopping = false;
    for (int i = 0; i < shape_.ranks; ++i) *wanted(i) = place;
  }
  job_.start([this, place, owner = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == owner)
      return report(kRuntime, "the system has no thread for reading data from disk (ulimit -u)");
    read_ahead(place);
  });
}

std::int64_t BlockStream::window() const {
  return sampler_->order() == Order::kFile ? 1 : sampler_->window();
}

std::int64_t BlockStream::place_of(std::int64_t position) const {
  return sampler_->order() == Order::kFile ? shape_.blocks.block_of(position)
                                           : sampler_->place_of_position(position);
}

std::int64_t BlockStream::position_of(std::int64_t place) const {
  return sampler_->order() == Order::kFile ? shape_.blocks.begin(place) : sampler_->position_of_place(place);
}

std::byte* BlockStream::slot(std::int64_t place) const {
  return ring_ + place % shape_.slots * shape_.block_bytes();
}

std::int64_t* BlockStream::wanted(int rank) const {
  return reinterpret_cast<std::int64_t*>(ring_ - kLine * (shape_.ranks - rank));
}

std::int64_t BlockStream::slowest() const {
  std::int64_t place = INT64_MAX;
  for (int i = 0; i < shape_.ranks; ++i) place = std::min(place, *wanted(i));
  return place;
}

void BlockStream::read_ahead(std::int64_t place) {
  try {
    for (; place < places() && wait_for_room(place); ++place) {
      read_block(place);
      const Control::Lock lock(*control_);
      control_->ready.store(place + 1, std::memory_order_release);
      pthread_cond_broadcast(&control_->more);
    }
  } catch (const InputError& error) {
    report(kInput, error.what());
  } catch (const std::exception& error) {
    report(kRuntime, error.what());
  }
}

void BlockStream::report(int kind, const char* what) {
  const Control::Lock lock(*control_);
  std::strncpy(control_->message, what, kMessageBytes - 1);
  control_->failure.store(kind, std::memory_order_release);
  pthread_cond_broadcast(&control_->more);
}

/// Until no rank wants what lies in the place's slot; false when the pass was given up.
bool BlockStream::wait_for_room(std::int64_t place) const {
  const Control::Lock lock(*control_);
  while (!control_->stopping && slowest() <= place - shape_.slots)
    pthread_cond_wait(&control_->room, &control_->mutex);
  return !control_->stopping;
}

void BlockStream::read_block(std::int64_t place) {
  const std::int64_t block = sampler_->order() == Order::kFile ? place : sampler_->block_at(place);
  const std::int64_t rows = shape_.blocks.rows_of(block);
  source_->read_rows(shape_.first + shape_.blocks.begin(block), rows,
                     {slot(place), static_cast<std::size_t>(rows * shape_.row_bytes())});
}

/// Until it is ready or reading has failed; false after kMoment without either.
template <class Ready>
bool BlockStream::wait_a_moment(const Ready& is_ready) const {
  constexpr long kSecond = 1'000'000'000;
  timespec end{};
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_nsec += static_cast<long>(kMoment * kSecond);
  end.tv_sec += end.tv_nsec / kSecond;
  end.tv_nsec %= kSecond;
  const Control::Lock lock(*control_);
  while (!is_ready() && control_->failure.load(std::memory_order_acquire) == kNone) {
    if (pthread_cond_timedwait(&control_->more, &control_->mutex, &end) == ETIMEDOUT) return false;
  }
  return true;
}

bool BlockStream::wait_for(std::int64_t place) const {
  if (control_->ready.load(std::memory_order_acquire) >= place) return true;
  const auto is_ready = [&] { return control_->ready.load(std::memory_order_acquire) >= place; };
  for (int looks = 1;; ++looks) {
    if (wait_a_moment(is_ready)) return is_ready();
    const double waited = looks * kMoment;
    if (waited >= 1 && long_wait_) long_wait_(waited);
  }
}

void BlockStream::want(std::int64_t place) {
  std::int64_t& mine = *wanted(rank_);
  if (mine == place) return;
  const Control::Lock lock(*control_);
  mine = place;
  pthread_cond_signal(&control_->room);
}

bool BlockStream::gather(std::int64_t position, std::int64_t count, float scale, float* out) {
  while (count > 0) {
    const std::int64_t first = place_of(position) / window() * window();
    const std::int64_t end = std::min(first + window(), places());
    want(first);  // a batch may be longer than the ring: what it has passed is given back at once
    if (!wait_for(end)) {
      std::fill_n(out, count * shape_.sample_size, 0.0F);
      return false;
    }
    const std::int64_t here = std::min(count, position_of(end) - position);
    copy(position, here, scale, out);
    position += here;
    count -= here;
    out += here * shape_.sample_size;
  }
  return true;
}

/// All of one window.
void BlockStream::copy(std::int64_t position, std::int64_t count, float scale, float* out) const {
  const std::int64_t row_bytes = shape_.row_bytes();
  if (sampler_->order() == Order::kFile) {
    const std::int64_t place = place_of(position);
    const std::byte* memory = slot(place) + (position - position_of(place)) * row_bytes;
    copy_scaled(memory, shape_.element, count * shape_.sample_size, scale, out);
    return;
  }
  const std::byte* rows[kRowsAtATime];  // their cache misses are started together
  for (std::int64_t begin = 0; begin < count; begin += kRowsAtATime) {
    const std::int64_t some = std::min(kRowsAtATime, count - begin);
    for (std::int64_t i = 0; i < some; ++i) {
      const std::int64_t at = sampler_->mixed(position + begin + i), place = place_of(at);
      rows[i] = slot(place) + (at - position_of(place)) * row_bytes;
      __builtin_prefetch(rows[i]);
      __builtin_prefetch(rows[i] + std::min(row_bytes - 1, kLine));
    }
    for (std::int64_t i = 0; i < some; ++i)
      copy_scaled(rows[i], shape_.element, shape_.sample_size, scale, out + (begin + i) * shape_.sample_size);
  }
}

void BlockStream::release(std::int64_t position) {
  next_ = position;
  want(position < shape_.blocks.rows() ? place_of(position) / window() * window() : places());
}

void BlockStream::check() const {
  const int failure = control_->failure.load(std::memory_order_acquire);
  if (failure == kInput) throw InputError(control_->message);
  if (failure == kRuntime) throw RuntimeError(control_->message);
}

}  // namespace nntrain::data
