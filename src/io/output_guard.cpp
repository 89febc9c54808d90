#include "io/output_guard.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/stream_file.h"

namespace nntrain::io {

namespace {

/// The name under which a rename would act: the last link's target in its real folder.
std::string real_name(const std::string& path) {
  const std::filesystem::path target(follow_links(path));
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::weakly_canonical(
      target.has_parent_path() ? target.parent_path() : std::filesystem::path("."), error);
  return ((error ? target.parent_path() : folder) / target.filename()).string();
}

void require_ours(const std::string& path, const std::string& what, const OutputGuard::IsOurs& is_ours) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || status.st_size == 0 || is_ours(path)) return;
  throw InputError(
      fmt::format("{} = \"{}\": the file that is there was not written by nntrain-dist as such an output, "
                  "and it is kept; "
                  "give another name, or remove it first",
                  what, path));
}

}  // namespace

OutputGuard::Entry OutputGuard::identify(const std::string& path, const std::string& what, bool is_input) {
  Entry entry;
  entry.name = real_name(path);
  entry.path = path;
  entry.what = what;
  entry.is_input = is_input;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    entry.exists = true;
    entry.device = status.st_dev;
    entry.inode = status.st_ino;
  }
  return entry;
}

void OutputGuard::add_input(const std::string& path, const std::string& what) {
  if (!path.empty()) entries_.push_back(identify(path, what, true));
}

void OutputGuard::require_free(const Entry& output) const {
  for (const Entry& other : entries_) {
    const bool same_file =
        output.exists && other.exists && output.device == other.device && output.inode == other.inode;
    if (!same_file && output.name != other.name) continue;
    if (!other.is_input && other.what == output.what && other.path == output.path) continue;  // itself, again
    throw InputError(fmt::format("{} = \"{}\" would {} \"{}\", which is {}{}; give another name", output.what,
                                 output.path, other.is_input ? "be written over" : "be the same file as",
                                 other.path, other.what, other.is_input ? ", an input of this command" : ""));
  }
}

void OutputGuard::add_output(const std::string& path, const std::string& what, const IsOurs& is_ours) {
  if (const std::string kind = kind_of_special_file(path); !kind.empty()) {
    throw InputError(fmt::format("{} = \"{}\" is {}; give the name of a file", what, path, kind));
  }
  const Entry output = identify(path, what, false);
  require_free(output);
  require_ours(path, what, is_ours);
  entries_.push_back(output);
}

void OutputGuard::add_stream(const std::string& path, const std::string& what, const IsOurs& is_ours) {
  if (is_stream(path)) return;
  add_output(path, what, is_ours);
}

std::string first_bytes(const std::string& path, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return text;
}

std::string last_bytes(const std::string& path, std::size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes, '\0');
  file.seekg(-static_cast<std::streamoff>(bytes), std::ios::end);
  return file.read(text.data(), static_cast<std::streamsize>(bytes)) ? text : "";
}

}  // namespace nntrain::io
