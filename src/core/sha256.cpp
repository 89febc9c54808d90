#include "core/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "core/error.h"

namespace nntrain {

struct Sha256::Implementation {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Implementation() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Implementation>()) {
  if (impl_->context == nullptr || EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1) {
    throw RuntimeError("OpenSSL offers no SHA-256");
  }
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) != 1) {
    throw RuntimeError("OpenSSL's SHA-256 failed");
  }
}

void Sha256::add_text(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  if (EVP_DigestFinal_ex(impl_->context, digest.data(), &bytes) != 1) {
    throw RuntimeError("OpenSSL's SHA-256 failed");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < bytes; ++i) {
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 15U];
  }
  return text;
}

}  // namespace nntrain
