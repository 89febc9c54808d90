#pragma once
// Places in a gzip file from which it can be inflated without what stands before: what a seek needs. After
// zlib's examples/zran.c; a place keeps the 32 KiB of the stream before it, deflated.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nntrain::io {

class GzipPoints {
 public:
  struct Point {
    std::int64_t offset = 0;  ///< byte of the stream that comes next
    std::int64_t packed = 0;  ///< byte of the file that comes next
    int bits = 0;             ///< of the byte before it that were not used yet
    std::string window;       ///< deflated; empty: a member of the file begins here
  };

  /// As many places as `budget_bytes` take, equally spaced, at least a megabyte of the stream apart.
  explicit GzipPoints(std::int64_t budget_bytes = std::int64_t{64} << 20) : budget_(budget_bytes) {}

  /// Is `offset` far enough from the last place?
  bool wants(std::int64_t offset) const { return offset >= next_; }
  /// `window`: what stands before `offset`, up to 32 KiB. Places ascend.
  void add(std::int64_t offset, std::int64_t packed, int bits, const std::string& window);
  void clear() { *this = GzipPoints(budget_); }
  /// All places of the file are known.
  void complete() { complete_ = true; }
  bool is_complete() const { return complete_; }

  /// The last place that is not behind `offset`; the file's beginning, when there is none.
  const Point& before(std::int64_t offset) const;
  static std::string unpacked_window(const Point& point);
  std::size_t count() const { return points_.size(); }
  std::int64_t bytes() const { return bytes_; }  ///< of the windows

 private:
  std::int64_t budget_;
  std::int64_t spacing_ = std::int64_t{1} << 20;
  std::int64_t next_ = spacing_, bytes_ = 0;
  std::vector<Point> points_ = {Point{}};
  bool complete_ = false;
};

}  // namespace nntrain::io
