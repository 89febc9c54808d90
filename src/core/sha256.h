#pragma once
// SHA-256 (FIPS 180-4) by OpenSSL: digests of checkpoints and fingerprints of data, so that any tool can
// recompute them.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nntrain {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::span<const std::byte> bytes);
  void add_text(std::string_view text);
  /// 64 lower-case hex digits; the object is spent afterwards.
  std::string hex();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain
