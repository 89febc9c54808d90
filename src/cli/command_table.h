#pragma once
// The table of commands: one entry a command says all that the command line, --help and the error messages
// need. A new command is one entry in command_table.cpp, one declaration in commands.h and one file
// src/cli/<command>.cpp.

#include <string>
#include <string_view>
#include <vector>

#include "comm/session/session.h"
#include "core/error.h"
#include "train/config/configuration.h"

namespace nntrain::cli {

struct CommandLine;

/// An option of one command, besides the keys of the configuration: `--json`, `--output=FILE`.
struct Option {
  enum class Takes { kNothing, kValue, kMaybeValue };
  std::string name;  ///< "output"
  Takes takes = Takes::kNothing;
  std::string value;  ///< what --help calls the value: "FILE.html"
  std::string help;
};

struct Command {
  enum class Files { kNone, kOne, kOneOrMore };
  std::string name;     ///< "evaluate"
  std::string usage;    ///< what follows the name: "CHECKPOINT [--output=FILE]"
  std::string summary;  ///< its line in the list of commands
  std::string details;  ///< further sentences of its own --help; may be empty
  Files files = Files::kOne;
  /// Which keys of the configuration it takes as options, by their beginnings ("data.", "fit.batch_size"; ""
  /// is every key); "!data.validation_" takes some out again. Others are refused.
  std::vector<std::string> keys;
  std::vector<Option> options;
  ExitCode (*run)(comm::Session& session, const CommandLine& line) = nullptr;
};

/// In the order of `nntrain-dist --help`.
const std::vector<Command>& commands();
/// nullptr when there is no such command.
const Command* find_command(std::string_view name);
std::vector<std::string> command_names();

bool takes_key(const Command& command, std::string_view key);
/// nullptr when `command` has no such option.
const Option* find_option(const Command& command, std::string_view name);

/// Throws InputError: `--word` is no option or key of `command`; with the nearest that it takes and the
/// commands that do take it.
[[noreturn]] void refuse_option(const Command& command, const std::string& word);

/// `nntrain-dist --help`.
std::string help_text();
/// `nntrain-dist COMMAND --help`: its own options and keys only.
std::string help_text(const Command& command);
/// "use: nntrain-dist evaluate CHECKPOINT ...".
std::string usage_line(const Command& command);

}  // namespace nntrain::cli
