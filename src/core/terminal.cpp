#include "core/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace nntrain::terminal {

namespace {

bool under_open_mpi() { return std::getenv("OMPI_COMM_WORLD_RANK") != nullptr; }

/// The launcher's, our parent's, standard output.
std::string launcher_output() { return "/proc/" + std::to_string(getppid()) + "/fd/1"; }

std::int64_t columns_of(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::int64_t columns_of_launcher() {
  const int descriptor = open(launcher_output().c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const std::int64_t columns = columns_of(descriptor);
  close(descriptor);
  return columns;
}

/// Bytes of the UTF-8 character that begins with `first`; 1 for bytes that begin none.
std::size_t length_of(unsigned char first) {
  return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
}

/// Columns of one character. Latin, Greek, Cyrillic and box drawing (0x2500 to 0x25FF: E2 94 .. E2 97) take
/// one; whatever else lies above them may take two.
std::int64_t columns_of_character(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() < 3) return 1;
  const bool box = byte(0) == 0xE2 && byte(1) >= 0x94 && byte(1) <= 0x97;
  return box ? 1 : 2;
}

std::string_view first_character(std::string_view text) {
  return text.substr(0, std::min(text.size(), length_of(static_cast<unsigned char>(text.front()))));
}

}  // namespace

bool is_output() {
  if (isatty(STDOUT_FILENO) != 1) return false;
  if (!under_open_mpi()) return true;
  std::array<char, 256> target{};
  const ssize_t length = readlink(launcher_output().c_str(), target.data(), target.size() - 1);
  return length > 0 && (std::string_view(target.data()).starts_with("/dev/pts/") ||
                        std::string_view(target.data()).starts_with("/dev/tty"));
}

std::int64_t columns() {
  const std::int64_t found = under_open_mpi() ? columns_of_launcher() : columns_of(STDOUT_FILENO);
  if (found > 0) return found;
  const char* said = std::getenv("COLUMNS");
  const std::int64_t columns = said == nullptr ? 0 : std::strtol(said, nullptr, 10);
  return columns > 0 ? columns : 80;
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale(value);
    std::transform(locale.begin(), locale.end(), locale.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

std::int64_t width_of(std::string_view text) {
  std::int64_t columns = 0;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    columns += columns_of_character(character);
    text.remove_prefix(character.size());
  }
  return columns;
}

std::string_view cut(std::string_view text, std::int64_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::string_view character = first_character(text.substr(end));
    columns -= columns_of_character(character);
    if (columns < 0) break;
    end += character.size();
  }
  return text.substr(0, end);
}

}  // namespace nntrain::terminal
