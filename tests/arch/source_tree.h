#pragma once
// Reads sources as text and judges their includes by the floors of docs/architecture.md.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::arch {

struct Include {
  int line = 0;
  std::string target;  ///< between the quotes or angle brackets
};

/// The #include lines of a text, comments left out.
std::vector<Include> includes_of(std::string_view text);

/// Floor of a file by its path below src/: "comm/session/session.h" -> "comm".
std::string floor_of_path(const std::filesystem::path& path);

/// Floor that an include reaches ("comm/session/topology.h"), or "" for everything else.
std::string floor_of_include(std::string_view target);

/// What is wrong with `target` in a file of `floor`; "" when nothing is.
std::string complaint(std::string_view floor, std::string_view target);

/// "train/step/replica.h" -> "step"; "" for a file that lies on the floor itself.
std::string room_of(std::string_view path);

/// What is wrong with `target` in the file `path` (below src/), by the order of the rooms of a floor; "" when
/// nothing is.
std::string room_complaint(std::string_view path, std::string_view target);

/// Is the file `path` (below src/) on the way to weights, history, predictions or scores?
bool makes_results(std::string_view path);

/// What in a text has other bits with another C library or on another architecture: "std::log" and its like,
/// "long double". (Square roots, fma and rounding to whole numbers are exact.)
std::vector<std::string> machine_dependent_arithmetic(std::string_view text);

/// Every .h and .cpp below `root`, sorted.
std::vector<std::filesystem::path> sources_below(const std::filesystem::path& root);

std::string read_text(const std::filesystem::path& file);

}  // namespace nntrain::arch
