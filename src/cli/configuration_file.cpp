#include "cli/configuration_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "cli/ini.h"
#include "core/error.h"
#include "core/registry.h"
#include "io/atomic_file.h"
#include "io/input_file.h"
#include "train/config/idle_keys.h"
#include "train/run/setup.h"

namespace nntrain::cli {

namespace {

const std::vector<std::string> kModelSuffixes = {".h5", ".hdf5", ".keras", ".json"};

bool is_one_of(const std::string& path, const std::vector<std::string>& suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](const std::string& suffix) { return path.ends_with(suffix); });
}

/// Why `path` cannot be read, with the nearest file of the same folder that could have been meant.
[[noreturn]] void refuse_missing(const std::string& path, const std::string& what,
                                 const std::vector<std::string>& suffixes) {
  namespace fs = std::filesystem;
  const std::string start = "cannot read the " + what + " \"" + path + "\": ";
  std::error_code error;
  if (const std::string kind = io::kind_of_special_file(path); !kind.empty())
    throw InputError(start + "it is " + kind +
                     (kind == "a folder" ? "" : ", not a regular file; write what it gives to a file first"));
  if (fs::exists(path, error)) throw InputError(start + "it is no readable file");
  const fs::path folder = fs::path(path).parent_path();
  std::vector<std::string> names;
  std::string same_stem;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!is_one_of(name, suffixes)) continue;
    if (entry.path().stem() == fs::path(path).stem()) same_stem = (folder / name).string();
    names.push_back((folder / name).string());
  }
  if (!same_stem.empty()) throw InputError(start + "no such file; did you mean \"" + same_stem + "\"?");
  const std::string near = nearest(path, names);
  throw InputError(start + "no such file" + (near.empty() ? "" : "; did you mean " + near + "?"));
}

/// A configuration is text.
void check_text(const std::string& path, const std::string& text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    throw InputError("\"" + path + "\" is UTF-16 text; save it as UTF-8");
  if (text.find('\0') == std::string::npos && text.size() <= (1U << 24U)) return;
  const bool model = kind_of_file(path) == FileKind::kModel;
  throw InputError("\"" + path + "\" is no INI file" +
                   (model
                        ? " but a model: evaluate, predict, summary and inspect take it, and a configuration "
                          "starts from it with model.from = " +
                              path
                        : ""));
}

/// Rank 0 reads, so that all ranks see one text whatever their file systems hold.
std::string read_on_root(comm::Session& session, const std::string& path) {
  std::string text;
  comm::collectively(session, "read the configuration", [&] {
    if (!session.is_root()) return;
    if (!std::filesystem::is_regular_file(path)) refuse_missing(path, "configuration", {".ini", ".cfg"});
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    if (!file) refuse_missing(path, "configuration", {".ini", ".cfg"});
    content << file.rdbuf();
    text = content.str();
    check_text(path, text);
  });
  return session.broadcast_text(text);
}

}  // namespace

FileKind kind_of_file(const std::string& path) {
  std::ifstream file;  // of a regular file only: to open a pipe waits for its writer
  if (io::kind_of_special_file(path).empty()) file.open(path, std::ios::binary);
  std::array<char, 4> bytes{};
  file.read(bytes.data(), bytes.size());
  const std::string_view first(bytes.data(), static_cast<std::size_t>(file.gcount()));
  const bool by_content = first.starts_with("\x89HDF") || first.starts_with("PK\x03\x04");
  return by_content || is_one_of(path, kModelSuffixes) ? FileKind::kModel : FileKind::kConfiguration;
}

checkpoint::Contents read_model_file(comm::Session& session, const std::string& path) {
  comm::collectively(session, "read " + path, [&] {
    if (!session.is_root()) return;
    if (!std::filesystem::is_regular_file(path)) refuse_missing(path, "checkpoint", kModelSuffixes);
    if (kind_of_file(path) == FileKind::kConfiguration && is_one_of(path, {".ini", ".cfg"})) {
      throw InputError(
          "\"" + path +
          "\" is a configuration; this command takes the checkpoint that training with it wrote");
    }
  });
  return train::read_contents(session, path);
}

void read_file(const std::string& path, train::Configuration& configuration) {
  io::require_regular_file(path, "the configuration \"" + path + "\"");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  read_ini(content.str(), path, Hash::kComment, configuration);
}

train::Configuration read_configuration(comm::Session& session, const CommandLine& line) {
  const std::string text = read_on_root(session, line.file);
  train::Configuration configuration;
  comm::collectively(session, "configuration", [&] {
    read_ini(text, line.file, Hash::kComment, configuration);
    apply_settings(line, configuration);
    train::refuse_idle_keys(configuration);
    if (!configuration.text("checkpoint.path").empty()) return;
    const std::string name = std::filesystem::path(line.file).stem().string() + ".h5";
    configuration.clear("checkpoint.path");
    configuration.add("checkpoint.path", {name, "default"});
  });
  return configuration;
}

train::Configuration stored_configuration(const checkpoint::Contents& contents, const CommandLine& line) {
  train::Configuration configuration;
  read_ini(contents.config, line.file, Hash::kCharacter, configuration);
  apply_settings(line, configuration);
  return configuration;
}

}  // namespace nntrain::cli
