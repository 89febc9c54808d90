#include "source_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

namespace nntrain::arch {

namespace {

using Floors = std::set<std::string, std::less<>>;

/// What a floor may include besides itself. nn, optim, metrics, data and comm are siblings; they meet in
/// train.
const std::map<std::string, Floors, std::less<>>& floors_below() {
  static const std::map<std::string, Floors, std::less<>> table = {
      {"core", {}},
      {"io", {"core"}},
      {"nn", {"core"}},
      {"optim", {"core"}},
      {"metrics", {"core"}},
      {"data", {"core", "io"}},
      {"comm", {"core"}},
      {"checkpoint", {"core", "io"}},
      {"train", {"core", "io", "nn", "optim", "metrics", "data", "comm", "checkpoint"}},
      {"library", {"core", "io", "nn", "optim", "metrics", "data", "comm", "checkpoint", "train"}},
      {"cli", {"core", "io", "nn", "optim", "metrics", "data", "comm", "checkpoint", "train"}},
  };
  return table;
}

/// The rooms of a floor, from the ground up: a room includes itself, the rooms before it and what lies on the
/// floor outside all rooms (which includes no room).
const std::map<std::string, std::vector<std::string>, std::less<>>& rooms() {
  static const std::map<std::string, std::vector<std::string>, std::less<>> table = {
      {"core", {"products"}},
      {"data", {"tables"}},
      {"nn", {"variables", "activations", "losses", "layers", "model"}},
      {"comm", {"session", "exchange"}},
      {"train", {"callbacks", "config", "data", "step", "run", "inference", "report", "loop"}},
  };
  return table;
}

struct Door {
  std::string_view prefix;  ///< of the included header
  std::string_view floor;   ///< the only one that may include it
};
constexpr Door kDoors[] = {
    {"mpi.h", "comm"},         {"hdf5", "io"},       {"H5", "io"},
    {"cblas", "core"},         {"openblas", "core"}, {"f77blas", "core"},
    {"dnnl", "core"},          {"oneapi/", "core"},  {"boost/", "cli"},
    {"zlib.h", "io"},          {"zip", "io"},        {"onnx.pb.h", "checkpoint"},
    {"google/", "checkpoint"}, {"openssl/", "core"}, {"tensorboard_event.pb.h", "train"},
};

std::string_view trim_left(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

/// The target of an #include line, or "".
std::string include_target(std::string_view line) {
  line = trim_left(line);
  if (!line.starts_with('#')) return {};
  line = trim_left(line.substr(1));
  constexpr std::string_view kWord = "include";
  if (!line.starts_with(kWord)) return {};
  line = trim_left(line.substr(kWord.size()));
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return {};
  const auto end = line.find(line.front() == '"' ? '"' : '>', 1);
  return end == std::string_view::npos ? std::string{} : std::string(line.substr(1, end - 1));
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> found;
  bool in_comment =
      false;  // /* ... */ over several lines; this code base writes none, but a check must not guess
  int number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (in_comment) {
      in_comment = line.find("*/") == std::string_view::npos;
      continue;
    }
    if (std::string target = include_target(line); !target.empty()) {
      found.push_back({number, std::move(target)});
      continue;
    }
    const auto opened = line.rfind("/*");
    in_comment = opened != std::string_view::npos && line.find("*/", opened) == std::string_view::npos &&
                 line.find("//") > opened;
  }
  return found;
}

std::string floor_of_path(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.begin()->string() : std::string{};
}

std::string floor_of_include(std::string_view target) {
  const std::string floor(target.substr(0, target.find('/')));
  return floor.size() < target.size() && floors_below().contains(floor) ? floor : std::string{};
}

std::string complaint(std::string_view floor, std::string_view target) {
  const auto row = floors_below().find(floor);
  if (row == floors_below().end()) return "the folder is no floor of docs/architecture.md";
  if (target.starts_with("..")) return "includes by a relative path that climbs";
  for (const Door& door : kDoors)
    if (target.starts_with(door.prefix) && floor != door.floor)
      return "only the floor " + std::string(door.floor) + " may include it";
  const std::string reached = floor_of_include(target);
  if (reached.empty() || reached == floor || row->second.contains(reached)) return {};
  return "the floor " + reached + " is not below " + std::string(floor);
}

std::string room_of(std::string_view path) {
  const auto first = path.find('/');
  const auto second = first == std::string_view::npos ? first : path.find('/', first + 1);
  return second == std::string_view::npos ? std::string{}
                                          : std::string(path.substr(first + 1, second - first - 1));
}

std::string room_complaint(std::string_view path, std::string_view target) {
  const std::string floor(path.substr(0, path.find('/')));
  const std::string here = room_of(path);
  const auto table = rooms().find(floor);
  const std::vector<std::string> order = table == rooms().end() ? std::vector<std::string>{} : table->second;
  const auto place = [&](const std::string& room) {
    return room.empty() ? -1 : std::find(order.begin(), order.end(), room) - order.begin();
  };
  const auto unknown = static_cast<std::ptrdiff_t>(order.size());
  if (place(here) == unknown) return "the folder is no room of docs/architecture.md";
  if (floor_of_include(target) != floor) return {};
  const std::string there = room_of(target);
  if (place(there) <= place(here)) return {};
  return "the room " + there + " is not below " + (here.empty() ? "the floor itself" : here);
}

bool makes_results(std::string_view path) {
  const std::string_view floor = path.substr(0, path.find('/'));
  if (floor == "train") {
    const std::string room = room_of(path);
    return room == "step" || room == "inference";
  }
  return floor == "core" || floor == "nn" || floor == "optim" || floor == "metrics";
}

std::vector<std::string> machine_dependent_arithmetic(std::string_view text) {
  std::vector<std::string> found;
  for (const char* name :
       {"exp",   "exp2", "expm1", "log",   "log2",  "log10", "log1p", "pow",    "cbrt",
        "hypot", "sin",  "cos",   "tan",   "asin",  "acos",  "atan",  "atan2",  "sinh",
        "cosh",  "tanh", "asinh", "acosh", "atanh", "erf",   "erfc",  "tgamma", "lgamma"}) {
    const std::string function = std::string("std::") + name;
    if (text.find(function + "(") != std::string_view::npos) found.push_back(function);
  }
  if (text.find("long double") != std::string_view::npos) found.emplace_back("long double");
  return found;
}

std::vector<std::filesystem::path> sources_below(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace nntrain::arch
