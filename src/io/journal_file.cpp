#include "io/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/hash.h"
#include "io/atomic_file.h"

namespace nntrain::io {

namespace {

constexpr std::string_view kMagic = "nntrain-dist: part of a file\n";
constexpr std::size_t kIdentity = 64;

struct BlockHead {
  std::uint64_t bytes = 0, hash = 0;
};

std::string journal_path(const std::string& path) {
  const std::filesystem::path target(follow_links(path));
  return (target.parent_path() / ("." + target.filename().string().substr(0, 240) + ".part")).string();
}

}  // namespace

JournalFile::JournalFile(const std::string& path, const std::string& identity, System& system)
    : system_(system), path_(journal_path(path)) {
  open(identity);
}

JournalFile::~JournalFile() { give_up(); }

void JournalFile::give_up() {
  if (descriptor_ < 0) return;
  system_.unlink(path_);
  system_.close(descriptor_);
  descriptor_ = -1;
}

void JournalFile::open(const std::string& identity) {
  descriptor_ = system_.open(path_, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) return;
  struct stat status {};
  const bool taken = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (taken || ::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    found_ = taken ? Found::kTaken : Found::kNotOurs;
    system_.close(descriptor_);
    descriptor_ = -1;
    return;
  }
  bytes_ = status.st_size;
  if (bytes_ == 0) return begin(identity);
  std::array<char, kMagic.size() + kIdentity> head{};
  const ssize_t got = system_.pread(descriptor_, head.data(), head.size(), 0);
  const std::string_view text(head.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!kMagic.starts_with(text.substr(0, kMagic.size()))) {
    found_ = Found::kNotOurs;
    system_.close(descriptor_);
    descriptor_ = -1;
    return;
  }
  if (text.size() == head.size() && text.substr(kMagic.size()) == identity) {
    found_ = Found::kSame;
    at_ = static_cast<std::int64_t>(head.size());
    return;
  }
  found_ = Found::kOther;
  begin(identity);
}

void JournalFile::begin(const std::string& identity) {
  const std::string head = std::string(kMagic) + identity;
  if (system_.ftruncate(descriptor_, 0) != 0 ||
      pwrite_all(system_, descriptor_, head.data(), head.size(), 0) != 0)
    return give_up();
  at_ = bytes_ = static_cast<std::int64_t>(head.size());
}

bool JournalFile::next(std::vector<std::byte>& block) {
  if (descriptor_ < 0 || at_ >= bytes_) return false;
  BlockHead head;
  constexpr auto kHead = static_cast<std::int64_t>(sizeof head);
  const auto read = [&](void* memory, std::size_t size, std::int64_t from) {
    auto* bytes = static_cast<std::byte*>(memory);
    while (size > 0) {
      const ssize_t got = system_.pread(descriptor_, bytes, size, from);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      bytes += got;
      from += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  };
  bool whole = bytes_ - at_ >= kHead && read(&head, sizeof head, at_);
  whole = whole && head.bytes <= static_cast<std::uint64_t>(bytes_ - at_ - kHead);
  if (whole) {
    block.resize(head.bytes);
    whole = read(block.data(), block.size(), at_ + kHead) &&
            hash_bytes(block, static_cast<std::uint64_t>(at_)) == head.hash;
  }
  if (!whole) {
    bytes_ = at_;
    if (system_.ftruncate(descriptor_, at_) != 0) give_up();
    return false;
  }
  at_ += kHead + static_cast<std::int64_t>(head.bytes);
  return true;
}

void JournalFile::append(std::span<const std::byte> block) {
  if (descriptor_ < 0) return;
  const BlockHead head{block.size(), hash_bytes(block, static_cast<std::uint64_t>(at_))};
  constexpr auto kHead = static_cast<std::int64_t>(sizeof head);
  if (pwrite_all(system_, descriptor_, block.data(), block.size(), at_ + kHead) != 0 ||
      pwrite_all(system_, descriptor_, &head, sizeof head, at_) != 0)
    return give_up();
  at_ += kHead + static_cast<std::int64_t>(block.size());
  bytes_ = at_;
}

}  // namespace nntrain::io
