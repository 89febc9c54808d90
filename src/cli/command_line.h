#pragma once
// What the user typed: command, files, options, keys. Read by Boost.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command_table.h"
#include "train/config/configuration.h"

namespace nntrain::cli {

struct CommandLine {
  const Command* command = nullptr;  ///< null: help or version of the program
  bool names_command = false;        ///< false: CONFIG alone, which trains
  std::string text;                  ///< as it was typed, quoted for a shell where needed
  bool help = false;
  bool version = false;
  std::string file;                                           ///< the first of `files`, or ""
  std::vector<std::string> files;                             ///< CONFIG, CHECKPOINT ..., in order
  std::vector<std::pair<std::string, std::string>> options;   ///< the command's own, e.g. output; in order
  std::vector<std::pair<std::string, std::string>> settings;  ///< keys of the configuration; in order

  /// Was --name given, with or without a value?
  bool has(std::string_view name) const;
  /// The value of --name, "" when it was not given or has none.
  std::string value(std::string_view name) const;
};

/// Throws InputError for an unknown command, or for an option or key that the command does not take, with the
/// nearest known ones.
CommandLine parse_command_line(int argc, char** argv);

/// Command line over file: a key given here replaces what the file said.
void apply_settings(const CommandLine& line, train::Configuration& configuration);

}  // namespace nntrain::cli
