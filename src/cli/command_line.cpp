#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/registry.h"

namespace nntrain::cli {

namespace po = boost::program_options;

bool CommandLine::has(std::string_view name) const {
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& option) { return option.first == name; });
}

std::string CommandLine::value(std::string_view name) const {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& option) { return option.first == name; });
  return found == options.end() ? "" : found->second;
}

namespace {

/// Does `--name` take a value in any command? Only to find the first word that is no value.
bool takes_value(const std::string& name) {
  if (train::find_key(name) != nullptr) return true;
  return std::any_of(commands().begin(), commands().end(), [&](const Command& command) {
    const Option* option = find_option(command, name);
    return option != nullptr && option->takes == Option::Takes::kValue;
  });
}

/// Index of the first argument that is neither an option nor the value of one; arguments.size(): none.
std::size_t first_word(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.empty() || word[0] != '-' || word == "-") return i;
    if (word.starts_with("--") && word.find('=') == std::string::npos && takes_value(word.substr(2))) ++i;
  }
  return arguments.size();
}

/// `nntrain-dist CONFIG` trains; a word that looks like a mistyped command is not taken for a file.
const Command& command_of(const std::string& word) {
  if (const Command* command = find_command(word)) return *command;
  std::vector<std::string> names = command_names();
  names.insert(names.end(), {"help", "version"});
  const bool like_a_file =
      word.find_first_of("./") != std::string::npos || std::filesystem::is_regular_file(word);
  const std::string near = nearest(word, names);
  if (!like_a_file && !near.empty())
    throw InputError("unknown command \"" + word + "\"; did you mean " + near + "?");
  return *find_command("train");
}

/// `--section.key=` unsets a key, `--weights` may stand without a value, and Boost takes neither: these are
/// taken out before. Where they stood among the others does not matter, a key that is set twice is refused.
std::vector<std::string> take_without_value(const std::vector<std::string>& arguments, CommandLine& line) {
  const Command& command = *line.command;
  std::vector<std::string> others;
  for (const std::string& word : arguments) {
    const std::size_t equals = word.find('=');
    const bool empty_value =
        word.starts_with("--") && equals != std::string::npos && equals + 1 == word.size();
    const std::string name = word.starts_with("--") ? word.substr(2, equals - 2) : "";
    const Option* option = find_option(command, name);
    if (empty_value && takes_key(command, name)) {
      line.settings.emplace_back(name, "");
    } else if (empty_value) {
      if (option == nullptr) refuse_option(command, name);
      throw InputError("command line: " + word + " gives no value" +
                       (option->takes == Option::Takes::kNothing
                            ? " and takes none; write --" + name
                            : "; write --" + name + "=" + option->value));
    } else if (option != nullptr && equals == std::string::npos &&
               option->takes == Option::Takes::kMaybeValue) {
      line.options.emplace_back(name, "");
    } else {
      others.push_back(word);
    }
  }
  return others;
}

po::options_description described(const Command& command) {
  po::options_description options;
  options.add_options()("help,h", "")("version", "")("words", po::value<std::vector<std::string>>(), "");
  for (const Option& option : command.options) {
    if (option.takes == Option::Takes::kNothing) {
      options.add_options()(option.name.c_str(), "");
    } else {
      options.add_options()(option.name.c_str(), po::value<std::vector<std::string>>()->composing(), "");
    }
  }
  for (const train::Key& key : train::keys())
    options.add_options()(key.name.c_str(), po::value<std::vector<std::string>>()->composing(), "");
  return options;
}

void take(const po::option& option, CommandLine& line) {
  const std::string value = option.value.empty() ? "" : option.value.front();
  const std::string& name = option.string_key;
  if (name == "help") {
    line.help = true;
  } else if (name == "version") {
    line.version = true;
  } else if (name == "words" || name.empty()) {
    line.files.push_back(value);
  } else if (find_option(*line.command, name) != nullptr) {
    if (line.has(name)) throw InputError("command line: --" + name + " is given twice; keep one of them");
    line.options.emplace_back(name, value);
  } else if (takes_key(*line.command, name)) {
    line.settings.emplace_back(name, value);
  } else {
    refuse_option(*line.command, name);
  }
}

void check_files(const CommandLine& line) {
  const Command& command = *line.command;
  if (line.help || line.version) return;
  const std::size_t most = command.files == Command::Files::kNone  ? 0
                           : command.files == Command::Files::kOne ? 1
                                                                   : line.files.size();
  if (line.files.size() > most) {
    if (!line.names_command && !std::filesystem::exists(line.file)) {
      throw InputError("unknown command \"" + line.file + "\", before \"" + line.files[most] +
                       "\"; nntrain-dist help lists the commands");
    }
    throw InputError("command line: \"" + line.files[most] + "\" is one word too many after \"" +
                     (most == 0 ? command.name : line.files[most - 1]) + "\"; " + usage_line(command));
  }
  if (line.files.empty() && command.files != Command::Files::kNone)
    throw InputError("no file given; " + usage_line(command));
}

std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

/// `nntrain-dist help [COMMAND]`.
CommandLine parse_help(const std::vector<std::string>& topics) {
  CommandLine line;
  line.help = true;
  if (topics.empty() || topics.front() == "help") return line;
  line.command = find_command(topics.front());
  if (line.command == nullptr) {
    const std::string near = nearest(topics.front(), command_names());
    throw InputError("no command \"" + topics.front() + "\"" +
                     (near.empty() ? "; nntrain-dist help lists them" : "; did you mean " + near + "?"));
  }
  return line;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  CommandLine line;
  line.text = "nntrain-dist";
  for (const std::string& argument : arguments) line.text += " " + quoted(argument);
  const std::size_t at = first_word(arguments);
  const std::string word = at < arguments.size() ? arguments[at] : "";
  if (word == "help" || word == "version") {
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
    if (word == "help") return parse_help(arguments);
    arguments = {"--version"};
  }
  line.command = &command_of(at < arguments.size() && word != "version" ? word : "train");
  line.names_command = word == line.command->name;
  if (line.names_command) arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  arguments = take_without_value(arguments, line);
  const po::options_description options = described(*line.command);
  po::positional_options_description positional;
  positional.add("words", -1);
  try {
    const po::parsed_options parsed =
        po::command_line_parser(arguments)
            .options(options)
            .positional(positional)
            .style(po::command_line_style::unix_style ^ po::command_line_style::allow_guessing)
            .allow_unregistered()
            .run();
    for (const po::option& option : parsed.options) take(option, line);
  } catch (const po::error& error) {
    throw InputError(fmt::format("command line: {}; nntrain-dist {} --help lists its options", error.what(),
                                 line.command->name));
  }
  if (word.empty() && line.settings.empty() && line.options.empty() && !line.version) line.help = true;
  if (line.help && word.empty()) line.command = nullptr;
  if (line.command == nullptr || line.version) return line;
  if (!line.files.empty()) line.file = line.files.front();
  check_files(line);
  return line;
}

void apply_settings(const CommandLine& line, train::Configuration& configuration) {
  std::set<std::string> cleared;
  for (const auto& [key, value] : line.settings) {
    if (cleared.insert(key).second) configuration.clear(key);
    configuration.add(key, {value, "command line"});  // an empty value leaves it unset
  }
}

}  // namespace nntrain::cli
