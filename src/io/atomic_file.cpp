#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "io/process_identity.h"

namespace nntrain::io {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
/// Smaller files are synchronised once, at their end.
constexpr std::int64_t kEarlyBytes = std::int64_t{128} << 20;

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string with_folder_of(const std::string& path, const std::string& name) {
  return (std::filesystem::path(path).parent_path() / name).string();
}

/// ".NAME.tmp-", which temporary files of NAME begin with; cut where the file system's limit asks for it.
std::string temporary_prefix(const std::string& path) {
  constexpr std::size_t kLongestSuffix = 90;  // ".", ".tmp-", 64 of the host, "-", the process
  const std::string name = std::filesystem::path(path).filename().string();
  return "." + name.substr(0, NAME_MAX - kLongestSuffix) + ".tmp-";
}

void require_replaceable(const std::string& given, const std::string& target) {
  if (const std::string kind = kind_of_special_file(given); !kind.empty()) {
    throw InputError(fmt::format("cannot write \"{}\": it is {}; give the name of a file", given, kind));
  }
  std::error_code ignored;
  if (std::filesystem::is_symlink(target, ignored)) throw_write_error(given, ELOOP);
  if (std::filesystem::path(given).filename().empty())
    throw InputError(fmt::format("cannot write \"{}\": it is a folder; give the name of a file", given));
  if (::access(target.c_str(), F_OK) == 0 && ::access(target.c_str(), W_OK) != 0) {
    throw WriteError(
        fmt::format("cannot write \"{}\": {} (the file that is there is protected; chmod u+w it, "
                    "or give another name)",
                    given, std::strerror(errno)),
        errno);
  }
}

/// As the file that is replaced: its permissions and, where this user may, its owner.
void copy_permissions(const std::string& old, int descriptor) {
  struct stat status {};
  if (::stat(old.c_str(), &status) != 0) return;
  struct stat mine {};
  if (::fstat(descriptor, &mine) == 0 && (mine.st_uid != status.st_uid || mine.st_gid != status.st_gid)) {
    if (::fchown(descriptor, status.st_uid, status.st_gid) != 0) errno = 0;
  }
  ::fchmod(descriptor, status.st_mode & 07777U);
}

/// Temporary files used to be called ".NAME.tmp-PID"; without a host only those of yesterday are judged.
bool is_abandoned(const std::filesystem::directory_entry& entry, const std::string& owner) {
  ProcessIdentity process;
  const std::size_t dash = owner.rfind('-');
  const std::string number = dash == std::string::npos ? owner : owner.substr(dash + 1);
  if (number.empty() || number.size() > 10 || number.find_first_not_of("0123456789") != std::string::npos)
    return false;
  process.host = dash == std::string::npos ? host_name() : owner.substr(0, dash);
  process.pid = std::stoll(number);
  if (process.pid == ::getpid()) return false;
  if (dash != std::string::npos && process.host == host_name().substr(0, 64)) process.host = host_name();
  std::error_code ignored;
  const auto age = std::filesystem::file_time_type::clock::now() - entry.last_write_time(ignored);
  if (dash == std::string::npos && age < std::chrono::hours(24)) return false;
  return is_alive(process) == Alive::kNo;
}

}  // namespace

bool WriteError::no_room() const noexcept { return cause_ == ENOSPC || cause_ == EDQUOT || cause_ == EFBIG; }

AtomicFile::AtomicFile(std::string path, System& system)
    : system_(system), path_(std::move(path)), target_(follow_links(path_)) {
  require_replaceable(path_, target_);
  create_directories(folder_of(target_));
  temporary_ = temporary_name(target_);
  remove_abandoned_temporaries(target_, system_);
  system_.unlink(temporary_);  // of an earlier process with this number
  // A full or read-only folder should be known before the work of writing.
  descriptor_ = system_.open(temporary_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
  copy_permissions(target_, descriptor_);
}

AtomicFile::~AtomicFile() {
  early_.wait();  // it uses the descriptor, and throws nothing
  if (descriptor_ >= 0) system_.close(descriptor_);
  if (!committed_) system_.unlink(temporary_);
}

void AtomicFile::fail(int cause) const {
  struct stat status {};
  const std::int64_t bytes = ::stat(temporary_.c_str(), &status) == 0 ? status.st_size : -1;
  throw_write_error(path_, cause, std::max<std::int64_t>(bytes, appended_ > 0 ? appended_ : -1));
}

void AtomicFile::append(std::string_view bytes) {
  appended_ += static_cast<std::int64_t>(bytes.size());
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void AtomicFile::flush() {
  if (const int cause = write_all(system_, descriptor_, buffer_.data(), buffer_.size())) fail(cause);
  buffer_.clear();
}

void AtomicFile::reserve(std::int64_t bytes) {
  if (bytes <= 0) return;
  const int cause = system_.reserve(descriptor_, bytes) == 0 ? 0 : errno;
  if (cause == ENOSPC || cause == EDQUOT || cause == EFBIG || cause == EIO)
    throw_write_error(path_, cause, bytes);
  if (cause != 0) require_free_bytes(target_, bytes);  // a file system without reservations
}

void AtomicFile::has_written(std::int64_t bytes) noexcept {
  unsynchronised_ += bytes;
  if (unsynchronised_ < kEarlyBytes || descriptor_ < 0 || early_.running()) return;
  try {
    early_.start([this] {
      if (system_.fsync(descriptor_) != 0 && errno != EINVAL) early_error_ = errno;
    });
    unsynchronised_ = 0;
  } catch (...) {  // no memory for a thread: synchronise() does it all
  }
}

void AtomicFile::synchronise() {
  flush();
  early_.wait();
  if (early_error_ != 0) fail(early_error_);  // the kernel tells of it once
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(errno);
  if (status.st_nlink == 0) fail(ENOENT);  // somebody removed it
  if (appended_ > 0 && status.st_size != appended_) fail(EIO);
  // Blocks that were reserved beyond the end go back.
  if (system_.ftruncate(descriptor_, status.st_size) != 0) fail(errno);
  if (system_.fsync(descriptor_) != 0 && errno != EINVAL) fail(errno);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (system_.close(descriptor) != 0 && errno != EINTR) fail(errno);
}

void AtomicFile::commit() {
  if (descriptor_ >= 0) synchronise();
  if (system_.rename(temporary_, target_) != 0) fail(errno);
  committed_ = true;
  if (const int cause = synchronise_folder(target_, system_)) {
    throw WriteError(
        fmt::format(
            "\"{}\" is written, but its folder cannot be synchronised: {}; a crash of the machine now "
            "may bring the old file back",
            path_, std::strerror(cause)),
        cause);
  }
}

std::string temporary_name(const std::string& path) {
  return with_folder_of(
      path, fmt::format("{}{}-{}", temporary_prefix(path), host_name().substr(0, 64), ::getpid()));
}

std::string follow_links(const std::string& path) {
  std::filesystem::path now(path);
  std::error_code error;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(now, error); ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(now, error);
    if (error) break;
    now = next.is_absolute() ? next : now.parent_path() / next;
  }
  return now.string();
}

std::string kind_of_special_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
      return "a folder";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    case S_IFIFO:
      return "a pipe";
    case S_IFSOCK:
      return "a socket";
    default:
      return "";
  }
}

void try_output(const std::string& path, std::int64_t bytes, System& system) {
  try {
    AtomicFile trial(path, system);
    trial.reserve(bytes);
  } catch (const WriteError& error) {
    if (error.no_room() || error.cause() == EIO) throw;
    throw InputError(error.what());
  }
}

void remove_abandoned_temporaries(const std::string& path, System& system) {
  const std::string prefix = temporary_prefix(path);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_of(path), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && is_abandoned(*entry, name.substr(prefix.size())))
      system.unlink(entry->path().string());
  }
}

void create_directories(const std::string& folder) {
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::error_code ignored;
  if (!error && std::filesystem::is_directory(folder, ignored)) return;
  throw WriteError(fmt::format("cannot make the folder \"{}\": {}", folder,
                               error ? error.message() : "a file of that name is in the way"),
                   error ? error.value() : ENOTDIR);
}

int synchronise_folder(const std::string& path, System& system) {
  const int descriptor = system.open(folder_of(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int cause = system.fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  system.close(descriptor);
  return cause;
}

std::int64_t free_bytes(const std::string& path) {
  std::error_code error;
  const std::string folder = std::filesystem::is_directory(path, error) ? path : folder_of(path);
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  return error ? -1 : static_cast<std::int64_t>(space.available);
}

void require_free_bytes(const std::string& path, std::int64_t bytes) {
  const std::int64_t available = free_bytes(path);
  if (available >= 0 && available < bytes) throw_write_error(path, ENOSPC, bytes);
}

void throw_write_error(const std::string& path, int cause, std::int64_t bytes) {
  const std::int64_t available = free_bytes(path);
  std::string numbers;
  if (bytes >= 0) numbers = fmt::format("{} bytes needed", bytes);
  if (available >= 0) numbers += fmt::format("{}{} bytes free", numbers.empty() ? "" : ", ", available);
  throw WriteError(fmt::format("cannot write \"{}\": {}{}", path, std::strerror(cause),
                               numbers.empty() ? "" : " (" + numbers + ")"),
                   cause);
}

}  // namespace nntrain::io
