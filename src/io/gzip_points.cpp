#include "io/gzip_points.h"

#include <zlib.h>

#include <algorithm>

#include "core/error.h"

namespace nntrain::io {

namespace {

constexpr std::size_t kWindowBytes = std::size_t{1} << 15;

}  // namespace

void GzipPoints::add(std::int64_t offset, std::int64_t packed, int bits, const std::string& window) {
  Point point{offset, packed, bits, std::string(compressBound(static_cast<uLong>(window.size())), '\0')};
  uLongf length = static_cast<uLongf>(point.window.size());
  if (compress2(reinterpret_cast<Bytef*>(point.window.data()), &length,
                reinterpret_cast<const Bytef*>(window.data()), static_cast<uLong>(window.size()), 1) != Z_OK)
    throw RuntimeError("out of memory for places in a gzip file");
  point.window.resize(length);
  point.window.shrink_to_fit();
  bytes_ += static_cast<std::int64_t>(point.window.size());
  points_.push_back(std::move(point));
  next_ = offset + spacing_;
  while (bytes_ > budget_ && points_.size() > 2) {  // every second one goes
    std::vector<Point> kept;
    bytes_ = 0;
    for (std::size_t i = 0; i < points_.size(); i += 2) {
      bytes_ += static_cast<std::int64_t>(points_[i].window.size());
      kept.push_back(std::move(points_[i]));
    }
    points_ = std::move(kept);
    spacing_ *= 2;
    next_ = points_.back().offset + spacing_;
  }
}

const GzipPoints::Point& GzipPoints::before(std::int64_t offset) const {
  const auto behind = std::upper_bound(points_.begin(), points_.end(), offset,
                                       [](std::int64_t at, const Point& point) { return at < point.offset; });
  return *std::prev(behind);
}

std::string GzipPoints::unpacked_window(const Point& point) {
  std::string window(kWindowBytes, '\0');
  uLongf length = static_cast<uLongf>(window.size());
  if (uncompress(reinterpret_cast<Bytef*>(window.data()), &length,
                 reinterpret_cast<const Bytef*>(point.window.data()),
                 static_cast<uLong>(point.window.size())) != Z_OK)
    throw RuntimeError("internal: a place in a gzip file is damaged");
  window.resize(length);
  return window;
}

}  // namespace nntrain::io
