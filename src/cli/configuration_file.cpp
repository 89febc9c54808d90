#include "cli/configuration_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/ini.h"
#include "core/error.h"

namespace nntrain::cli {

namespace {

/// Rank 0 reads, so that all ranks see one text whatever their file systems hold.
std::string read_on_root(comm::Session& session, const std::string& path) {
  std::string text;
  comm::collectively(session, "read the configuration", [&] {
    if (!session.is_root()) return;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    if (!std::filesystem::is_regular_file(path) || !file || !(content << file.rdbuf())) {
      throw InputError("cannot read the configuration \"" + path + "\"; does it exist?");
    }
    text = content.str();
    if (text.find('\0') != std::string::npos || text.size() > (1U << 24U)) {
      throw InputError(
          "\"" + path + "\" is no INI file" +
          (is_model_file(path) ? "; evaluate, predict, summary and inspect take checkpoints" : ""));
    }
  });
  return session.broadcast_text(text);
}

}  // namespace

train::Configuration read_configuration(comm::Session& session, const CommandLine& line) {
  const std::string text = read_on_root(session, line.file);
  train::Configuration configuration;
  comm::collectively(session, "configuration", [&] {
    read_ini(text, line.file, Hash::kComment, configuration);
    apply_settings(line, configuration);
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

bool is_model_file(const std::string& path) {
  for (const char* suffix : {".h5", ".hdf5", ".keras", ".json"}) {
    if (path.ends_with(suffix)) return true;
  }
  return false;
}

}  // namespace nntrain::cli
