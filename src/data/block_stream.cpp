#include "data/block_stream.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "core/error.h"

namespace nntrain::data {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLine = 64;
constexpr std::int64_t kRowsAtATime = 16;
constexpr double kMoment = 0.1;  ///< seconds between looks of who waits
/// Where messages must be looked after meanwhile: as long as a network needs for some 100 KB.
constexpr double kMomentWithMail = 0.0002, kLongMomentWithMail = 0.001;

/// In the file's order: so many blocks one after the other are one node's that each has two such runs in the
/// ring. Long runs begin seldom, and a beginning costs where a file is inflated or chunks are cut.
std::int64_t blocks_in_a_row(const StreamShape& shape, Order order) {
  if (order != Order::kFile || !shape.is_shared()) return 1;
  return std::max<std::int64_t>(1, shape.slots / (2 * static_cast<std::int64_t>(shape.nodes.size())));
}

}  // namespace

BlockStream::BlockStream(StreamShape shape, std::span<std::byte> memory, int rank,
                         std::unique_ptr<ArraySource> source, BlockMail* mail)
    : shape_(std::move(shape)), ring_(shape_, memory), rank_(rank), source_(std::move(source)) {
  if (shape_.is_shared() != (mail != nullptr))
    throw RuntimeError("internal: nodes share by mail, and only they");
  if (source_ != nullptr) ring_.create();
  if (mail != nullptr)
    share_.emplace(shape_, rank_, ring_, *mail, [this](std::int64_t place) { return bytes_of(place); });
}

BlockStream::~BlockStream() { stop(); }

void BlockStream::stop() {
  if (source_ != nullptr) {
    ring_.stop();
    try {
      job_.wait();
    } catch (const std::exception&) {  // whoever waits knows it from the ring
    }
  }
  sampler_.reset();  // the thread had it
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
  const std::int64_t place =
      position < shape_.blocks.rows() ? place_of(position) / window() * window() : places();
  if (share_) share_->begin(place, places(), blocks_in_a_row(shape_, sampler_->order()));
  if (source_ == nullptr) return;
  ring_.begin(place);
  job_.start([this, place, owner = std::this_thread::get_id()] {
    if (std::this_thread::get_id() == owner) {
      std::int64_t first = place;
      while (first < places() && !is_read_here(first)) ++first;
      return ring_.fail(BlockRing::kRuntime,
                        "the system has no thread for reading data from disk (ulimit -u)", first);
    }
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

std::int64_t BlockStream::bytes_of(std::int64_t place) const {
  return shape_.blocks.rows_of(block_of(place)) * shape_.row_bytes();
}

void BlockStream::read_ahead(std::int64_t place) {
  try {
    for (; place < places(); ++place) {
      if (!is_read_here(place)) continue;
      if (!ring_.wait_for_room(place)) return;
      read_block(place);
      ring_.add(place);
    }
  } catch (const InputError& error) {
    ring_.fail(BlockRing::kInput, error.what(), place);
  } catch (const std::exception& error) {
    ring_.fail(BlockRing::kRuntime, error.what(), place);
  }
}

std::int64_t BlockStream::block_of(std::int64_t place) const {
  return sampler_->order() == Order::kFile ? place : sampler_->block_at(place);
}

void BlockStream::read_block(std::int64_t place) {
  const std::int64_t block = block_of(place);
  source_->read_rows(shape_.first + shape_.blocks.begin(block), shape_.blocks.rows_of(block),
                     {ring_.slot(place), static_cast<std::size_t>(bytes_of(place))});
}

void BlockStream::attend() {
  if (share_ && sampler_) share_->attend();
}

bool BlockStream::wait_for(std::int64_t place) {
  const auto is_ready = [&] { return ring_.ready() >= place; };
  if (is_ready()) return true;
  const Clock::time_point start = Clock::now();
  for (double waited = 0;;) {
    attend();
    const double moment = !share_ ? kMoment : waited < 1 ? kMomentWithMail : kLongMomentWithMail;
    if (ring_.wait_a_moment(moment, is_ready)) return is_ready();
    waited = std::chrono::duration<double>(Clock::now() - start).count();
    if (waited >= 1 && long_wait_) long_wait_(waited);
  }
}

bool BlockStream::gather(std::int64_t position, std::int64_t count, float scale, float* out) {
  attend();
  while (count > 0) {
    const std::int64_t first = place_of(position) / window() * window();
    const std::int64_t end = std::min(first + window(), places());
    ring_.want(rank_,
               first);  // a batch may be longer than the ring: what it has passed is given back at once
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
    const std::byte* memory = ring_.slot(place) + (position - position_of(place)) * row_bytes;
    copy_scaled(memory, shape_.element, count * shape_.sample_size, scale, out);
    return;
  }
  const std::byte* rows[kRowsAtATime];  // their cache misses are started together
  for (std::int64_t begin = 0; begin < count; begin += kRowsAtATime) {
    const std::int64_t some = std::min(kRowsAtATime, count - begin);
    for (std::int64_t i = 0; i < some; ++i) {
      const std::int64_t at = sampler_->mixed(position + begin + i), place = place_of(at);
      rows[i] = ring_.slot(place) + (at - position_of(place)) * row_bytes;
      __builtin_prefetch(rows[i]);
      __builtin_prefetch(rows[i] + std::min(row_bytes - 1, kLine));
    }
    for (std::int64_t i = 0; i < some; ++i)
      copy_scaled(rows[i], shape_.element, shape_.sample_size, scale, out + (begin + i) * shape_.sample_size);
  }
}

void BlockStream::release(std::int64_t position) {
  next_ = position;
  ring_.want(rank_, position < shape_.blocks.rows() ? place_of(position) / window() * window() : places());
  attend();
}

void BlockStream::check() const {
  const int failure = ring_.failure();
  if (failure == BlockRing::kInput) throw InputError(ring_.message());
  if (failure == BlockRing::kRuntime) throw RuntimeError(ring_.message());
}

}  // namespace nntrain::data
