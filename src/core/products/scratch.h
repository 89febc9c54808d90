#pragma once
// Floats for the products' own use, on whole cache lines.

#include <cstdint>
#include <cstdlib>
#include <new>

namespace nntrain {

/// Grows and never shrinks; what it held is lost when it grows.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { std::free(floats_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  float* of(std::int64_t count) {
    if (count > size_) {
      std::free(floats_);
      floats_ = nullptr;
      size_ = 0;
      constexpr std::size_t kLine = 64;
      const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + kLine - 1) / kLine * kLine;
      floats_ = static_cast<float*>(std::aligned_alloc(kLine, bytes));
      if (floats_ == nullptr) throw std::bad_alloc();
      size_ = count;
    }
    return floats_;
  }
  float* get() const { return floats_; }

 private:
  float* floats_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace nntrain
