// libFuzzer's target for every reader of files and texts that come from outside (clang; tests/fuzz/run.sh).
// NNTRAIN_READER names the one: its text, or a file of its ending that holds the bytes, is read. Every
// outcome but an InputError that says something, or a clean read, ends the process: a crash, another
// exception, memory, a leak.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "cli/ini.h"
#include "core/call.h"
#include "core/error.h"
#include "data/array_source.h"
#include "nn/layers/layer.h"
#include "train/config/settings.h"
#include "train/run/setup.h"

namespace {

using namespace nntrain;

/// What is wrong with the input is told; anything else is a finding.
void attempt(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& error) {
    if (std::strlen(error.what()) >= 10 && std::strncmp(error.what(), "internal", 8) != 0) return;
    std::fprintf(stderr, "an empty or internal message: \"%s\"\n", error.what());
    std::abort();
  }
}

/// A file in memory that holds the input; one a process.
class InputFile {
 public:
  explicit InputFile(const std::string& ending) {
    const char* shared = std::getenv("NNTRAIN_FUZZ_FOLDER");
    const std::string folder = shared != nullptr ? shared : std::filesystem::temp_directory_path().string();
    path_ = folder + "/input-" + std::to_string(::getpid()) + ending;
  }
  ~InputFile() { std::remove(path_.c_str()); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& hold(const std::uint8_t* bytes, std::size_t size) const {
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    if (file == nullptr || std::fwrite(bytes, 1, size, file) != size || std::fclose(file) != 0) std::abort();
    return path_;
  }

 private:
  std::string path_;
};

void read_array(const std::string& source, data::Role role) {
  attempt([&] {
    data::SourceOptions options;
    options.source = source;
    options.role = role;
    options.key = "data.inputs";
    const auto opened = data::open_array(options);
    if (opened->info().bytes() > (std::int64_t{64} << 20)) return;  // the reader would take what it says
    std::vector<std::byte> memory(static_cast<std::size_t>(opened->info().bytes()));
    opened->read(memory);
  });
}

void read_arrays(const std::string& path, const std::vector<std::string>& datasets) {
  for (const std::string& dataset : datasets) {
    read_array(path + dataset, data::Role::kInputs);
    read_array(path + dataset, data::Role::kTargets);
  }
}

/// As train, predict and evaluate go on with what they read.
void build(const checkpoint::Contents& contents) {
  const train::ModelSource source = train::model_source_of(contents);
  std::int64_t parameters = 0;
  for (const checkpoint::WeightArray& weight : source.weights) parameters += weight.shape.size();
  if (!source.has_weights || parameters > 1000000) return;
  const auto model = train::build_model(source, Shape{4});
  if (model->total_floats() > 1000000) return;
  std::vector<float> values(static_cast<std::size_t>(model->total_floats()));
  model->bind(values);
  train::assign_weights(*model, source.weights, contents.origin);
}

void read_model(const std::string& path) {
  attempt([&] { build(checkpoint::read(path)); });
}

void read_configuration(const std::string& text) {
  for (const cli::Hash hash : {cli::Hash::kComment, cli::Hash::kCharacter}) {
    attempt([&] {
      train::Configuration configuration;
      cli::read_ini(text, "fuzz.ini", hash, configuration);
      static_cast<void>(configuration.to_ini());
      static_cast<void>(train::read_settings(configuration));
    });
  }
}

void read_expression(const std::string& text) {
  attempt([&] {
    for (const Json& item : parse_call_list(text)) static_cast<void>(format_call(item));
  });
  attempt([&] { static_cast<void>(nn::layers().make(parse_call(text))); });
}

using Read = std::function<void(const std::uint8_t*, std::size_t)>;

/// A reader of files with this ending.
Read of_file(const std::string& ending, const std::function<void(const std::string&)>& read) {
  static InputFile file(ending);
  return [read](const std::uint8_t* bytes, std::size_t size) { read(file.hold(bytes, size)); };
}

Read of_text(const std::function<void(const std::string&)>& read) {
  return [read](const std::uint8_t* bytes, std::size_t size) {
    read(std::string(reinterpret_cast<const char*>(bytes), size));
  };
}

Read reader(const std::string& name) {
  const auto arrays = [](const std::vector<std::string>& datasets) {
    return [datasets](const std::string& path) { read_arrays(path, datasets); };
  };
  if (name == "idx") return of_file(".idx", arrays({""}));
  if (name == "gz") return of_file(".idx.gz", arrays({""}));
  if (name == "csv") return of_file(".csv", arrays({""}));
  if (name == "npy") return of_file(".npy", arrays({""}));
  if (name == "hdf5") return of_file(".h5", arrays({"", ":/f4", ":/gzip", ":/group/inner", ":/group/other"}));
  if (name == "checkpoint" || name == "keras_h5") return of_file(".h5", read_model);
  if (name == "keras_zip") return of_file(".keras", read_model);
  if (name == "json") return of_file(".json", read_model);
  if (name == "configuration") return of_text(read_configuration);
  if (name == "expression") return of_text(read_expression);
  std::fprintf(
      stderr,
      "NNTRAIN_READER: idx, gz, csv, npy, hdf5, checkpoint, keras_h5, keras_zip, json, configuration or "
      "expression\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Read read = [] {
    const char* name = std::getenv("NNTRAIN_READER");
    return reader(name != nullptr ? name : "");
  }();
  read(bytes, size);
  return 0;
}
