#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <map>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/registry.h"

namespace nntrain::cli {

namespace po = boost::program_options;

namespace {

const std::vector<std::string>& commands() {
  static const std::vector<std::string> names = {"train",   "evaluate", "predict",
                                                 "summary", "inspect",  "vocabulary"};
  return names;
}

po::options_description described_keys() {
  po::options_description options;
  for (const train::Key& key : train::keys()) {
    options.add_options()(key.name.c_str(), po::value<std::vector<std::string>>()->composing(),
                          key.help.c_str());
  }
  return options;
}

/// Line numbers of each "section.key" in the order they stand, for messages: Boost does not tell them.
std::map<std::string, std::vector<int>> line_numbers(const std::string& text) {
  std::map<std::string, std::vector<int>> lines;
  std::istringstream stream(text);
  std::string line;
  std::string section;
  for (int number = 1; std::getline(stream, line); ++number) {
    line = line.substr(0, line.find('#'));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    if (line[first] == '[') {
      section = line.substr(first + 1, line.find(']') - first - 1) + ".";
      continue;
    }
    std::string key = line.substr(first, line.find('=') - first);
    key.erase(key.find_last_not_of(" \t") + 1);
    lines[section + key].push_back(number);
  }
  return lines;
}

int first_bad_line(const std::string& text, const std::string& bad) {
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find(bad) != std::string::npos) return number;
  }
  return 0;
}

}  // namespace

void read_ini(const std::string& text, const std::string& origin, train::Configuration& configuration) {
  const po::options_description options = described_keys();
  std::istringstream stream(text);
  po::parsed_options parsed(&options);
  try {
    parsed = po::parse_config_file(stream, options, true);
  } catch (const po::invalid_config_file_syntax& error) {
    const int line = first_bad_line(text, error.tokens());
    throw InputError(
        fmt::format("{}:{}: \"{}\" is neither [section] nor key = value", origin, line, error.tokens()));
  } catch (const po::error& error) {
    throw InputError(origin + ": " + error.what());
  }
  std::map<std::string, std::vector<int>> lines = line_numbers(text);
  std::map<std::string, std::size_t> seen;
  for (const po::option& option : parsed.options) {
    const std::vector<int>& numbers = lines[option.string_key];
    const std::size_t occurrence = seen[option.string_key]++;
    const std::string where =
        occurrence < numbers.size() ? fmt::format("{}:{}", origin, numbers[occurrence]) : origin;
    train::known_key(option.string_key, where);
    configuration.add(option.string_key, {option.value.empty() ? "" : option.value.front(), where});
  }
}

namespace {

/// `--section.key=` unsets a key. Boost refuses an empty value there, so these are taken out before; where
/// they stood among the others does not matter, a key that is set twice is refused.
std::vector<std::string> take_unset_keys(int argc, char** argv, CommandLine& line) {
  std::vector<std::string> others;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1 &&
        word.find('.') != std::string::npos) {
      const std::string key = word.substr(2, word.size() - 3);
      train::known_key(key, "command line");
      line.settings.emplace_back(key, "");
    } else {
      others.push_back(word);
    }
  }
  return others;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  const std::vector<std::string> arguments = take_unset_keys(argc, argv, line);
  po::options_description options = described_keys();
  options.add_options()("help,h", "this text")("version", "version of the program and its libraries")(
      "output", po::value<std::string>(), "predict: the file to write")(
      "words", po::value<std::vector<std::string>>(), "");
  po::positional_options_description positional;
  positional.add("words", -1);
  std::vector<std::string> words;
  try {
    const po::parsed_options parsed =
        po::command_line_parser(arguments)
            .options(options)
            .positional(positional)
            .style(po::command_line_style::unix_style ^ po::command_line_style::allow_guessing)
            .allow_unregistered()
            .run();
    for (const po::option& option : parsed.options) {
      const std::string value = option.value.empty() ? "" : option.value.front();
      if (option.string_key == "help") {
        line.help = true;
      } else if (option.string_key == "version") {
        line.command = "version";
      } else if (option.string_key == "output") {
        line.output = value;
      } else if (option.string_key == "words" || option.string_key.empty()) {
        words.push_back(value);
      } else {
        train::known_key(option.string_key, "command line");
        line.settings.emplace_back(option.string_key, value);
      }
    }
  } catch (const po::error& error) {
    throw InputError(std::string("command line: ") + error.what() +
                     "; nntrain-dist --help lists the options");
  }
  if (line.command == "version") return line;
  if (!words.empty() && std::find(commands().begin(), commands().end(), words.front()) != commands().end()) {
    line.command = words.front();
    words.erase(words.begin());
  } else if (words.empty()) {
    if (!line.help && argc > 1) throw InputError("no configuration given; use: nntrain-dist train CONFIG");
    line.command = "help";
    return line;
  } else {
    // `nntrain-dist CONFIG` trains; a word that looks like a mistyped command is not taken for a file.
    const bool like_a_file = words.front().find_first_of("./") != std::string::npos;
    const std::string near = nearest(words.front(), commands());
    if (!like_a_file && !near.empty())
      throw InputError("unknown command \"" + words.front() + "\"; did you mean " + near + "?");
    line.command = "train";
  }
  if (words.size() > 1)
    throw InputError("command line: \"" + words[1] + "\" is one word too many after \"" + words[0] + "\"");
  if (!words.empty()) line.file = words.front();
  return line;
}

void apply_settings(const CommandLine& line, train::Configuration& configuration) {
  std::set<std::string> cleared;
  for (const auto& [key, value] : line.settings) {
    if (cleared.insert(key).second) configuration.clear(key);
    configuration.add(key, {value, "command line"});  // an empty value leaves it unset
  }
}

std::string help_text(const std::string& command) {
  std::string text;
  if (command.empty() || command == "help") {
    text =
        "nntrain-dist: data-parallel training of feed-forward networks; alone or under mpirun/srun\n\n"
        "  nntrain-dist [train] CONFIG            [--section.key=value ...]     train, or go on from the "
        "checkpoint\n"
        "  nntrain-dist evaluate CHECKPOINT       [--data.inputs=.. --data.targets=..]\n"
        "  nntrain-dist predict  CHECKPOINT --data.inputs=SOURCE --output=FILE   .h5 (dataset /predictions), "
        ".csv, .npy\n"
        "  nntrain-dist summary  CONFIG | CHECKPOINT | KERAS_FILE\n"
        "  nntrain-dist inspect  CHECKPOINT       history, run state, digest, how it was trained\n"
        "  nntrain-dist vocabulary                every layer, loss, optimizer ... with its arguments "
        "(docs/vocabulary.md)\n"
        "  nntrain-dist --help, --version\n\n";
  } else {
    static const std::map<std::string, std::string> usage = {
        {"train",
         "nntrain-dist [train] CONFIG [--section.key=value ...]\nTrains, or goes on from the checkpoint."},
        {"evaluate",
         "nntrain-dist evaluate CHECKPOINT [--data.inputs=SOURCE --data.targets=SOURCE]\nLoss and metrics; "
         "default: the test data that the run's configuration names."},
        {"predict",
         "nntrain-dist predict CHECKPOINT --data.inputs=SOURCE --output=FILE\nOutputs and classes of every "
         "sample, to .h5 (dataset /predictions), .csv or .npy."},
        {"summary",
         "nntrain-dist summary CONFIG | CHECKPOINT | KERAS_FILE\nKeras' table of layers, shapes and "
         "parameters."},
        {"inspect", "nntrain-dist inspect CHECKPOINT\nHistory, run state, digest, how it was trained."},
        {"vocabulary", "nntrain-dist vocabulary\nPrints docs/vocabulary.md from the registries."}};
    text = usage.at(command) + "\n\n";
  }
  text +=
      "Keys, in a [section] of CONFIG or as an option (command line > file > default; --section.key= unsets "
      "one):\n";
  for (const train::Key& key : train::keys()) {
    const std::string value = key.default_value.empty() ? "" : " [" + key.default_value + "]";
    text += fmt::format("  --{:<32} {}{}\n", key.name, key.help, value);
  }
  if (command == "predict")
    text += fmt::format("  --{:<32} {}\n", "output", "the file to write: .h5, .csv or .npy");
  return text;
}

}  // namespace nntrain::cli
