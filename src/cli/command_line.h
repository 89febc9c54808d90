#pragma once
// What the user typed: command, file, options; and INI files. The only user of Boost.

#include <string>
#include <vector>

#include "train/config/configuration.h"

namespace nntrain::cli {

struct CommandLine {
  std::string command;  ///< train, evaluate, predict, summary, inspect, help, version, vocabulary
  std::string file;     ///< CONFIG, CHECKPOINT or KERAS_FILE
  std::string output;   ///< predict --output
  bool help = false;
  std::vector<std::pair<std::string, std::string>> settings;  ///< key, value; in order
};

/// Throws InputError for an unknown command or option, with the nearest known ones.
CommandLine parse_command_line(int argc, char** argv);

/// Reads INI text into `configuration`; values carry "origin:line". Throws InputError naming the line.
void read_ini(const std::string& text, const std::string& origin, train::Configuration& configuration);

/// Command line over file: a key given here replaces what the file said.
void apply_settings(const CommandLine& line, train::Configuration& configuration);

std::string help_text(const std::string& command);

}  // namespace nntrain::cli
