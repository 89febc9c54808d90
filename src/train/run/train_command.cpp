#include "train/run/train_command.h"

#include <set>

namespace nntrain::train {

namespace {

constexpr const char* kCommandLine = "command line";

/// The file of "run.ini:12"; "" for an origin of another form.
std::string file_of(const std::string& origin) {
  const std::size_t colon = origin.rfind(':');
  if (colon == std::string::npos || origin.find_first_not_of("0123456789", colon + 1) != std::string::npos)
    return "";
  return origin.substr(0, colon);
}

std::string shell_word(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string train_command(const Configuration& configuration, const std::string& checkpoint) {
  static const std::set<std::string> ours = {"checkpoint.path", "checkpoint.resume", "fit.on_nan"};
  std::string file, options;
  for (const Key& key : keys()) {
    for (const Value& value : configuration.list(key.name)) {
      if (value.origin != kCommandLine) {
        file = file.empty() ? file_of(value.origin) : file;
      } else if (!ours.contains(key.name)) {
        options += " " + shell_word("--" + key.name + "=" + value.text);
      }
    }
  }
  if (file.empty()) return "";
  if (configuration.text("fit.on_nan") != "stop") options += " --fit.on_nan=stop";
  if (configuration.text("checkpoint.resume") != "auto") options += " --checkpoint.resume=auto";
  return "nntrain-dist train " + shell_word(file) + options + " " +
         shell_word("--checkpoint.path=" + checkpoint);
}

}  // namespace nntrain::train
