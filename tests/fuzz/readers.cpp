// libFuzzer's target for every reader of files and texts that come from outside (clang; tests/fuzz/run.sh).
// NNTRAIN_READER names the one: its text, or a file of its ending that holds the bytes, is read. Every
// outcome but an InputError that says something, or a clean read, ends the process: a crash, another
// exception, memory, a leak. Where there are several ways to read an input (as inputs or targets, this
// dataset or that), its bytes choose one of them, so that an execution is one read.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
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

/// A number below `ways` that hangs on every byte (FNV-1a).
std::size_t choose(std::size_t ways, const std::uint8_t* bytes, std::size_t size) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 1099511628211ULL;
  return static_cast<std::size_t>(hash >> 32U) % ways;
}

/// A file in memory that holds the input; one a process, open all the time.
class InputFile {
 public:
  explicit InputFile(const std::string& ending) {
    const char* shared = std::getenv("NNTRAIN_FUZZ_FOLDER");
    const std::string folder = shared != nullptr ? shared : std::filesystem::temp_directory_path().string();
    path_ = folder + "/input-" + std::to_string(::getpid()) + ending;
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  ~InputFile() {
    ::close(descriptor_);
    std::remove(path_.c_str());
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& hold(const std::uint8_t* bytes, std::size_t size) const {
    if (::pwrite(descriptor_, bytes, size, 0) != static_cast<ssize_t>(size) ||
        ::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
      std::abort();
    return path_;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
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

void read_configuration(const std::string& text, cli::Hash hash) {
  attempt([&] {
    train::Configuration configuration;
    cli::read_ini(text, "fuzz.ini", hash, configuration);
    static_cast<void>(configuration.to_ini());
    static_cast<void>(train::read_settings(configuration));
  });
}

void read_expression(const std::string& text) {
  attempt([&] {
    for (const Json& item : parse_call_list(text)) static_cast<void>(format_call(item));
  });
  attempt([&] { static_cast<void>(nn::layers().make(parse_call(text))); });
}

using Read = std::function<void(const std::uint8_t*, std::size_t)>;

/// The datasets ("" for formats without) of a file with this ending, as inputs or as targets.
Read of_arrays(const std::string& ending, const std::vector<std::string>& datasets) {
  static InputFile file(ending);
  return [datasets](const std::uint8_t* bytes, std::size_t size) {
    const std::size_t way = choose(2 * datasets.size(), bytes, size);
    read_array(file.hold(bytes, size) + datasets[way / 2],
               way % 2 == 0 ? data::Role::kInputs : data::Role::kTargets);
  };
}

Read of_model(const std::string& ending) {
  static InputFile file(ending);
  return [](const std::uint8_t* bytes, std::size_t size) { read_model(file.hold(bytes, size)); };
}

std::string text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Read reader(const std::string& name) {
  if (name == "idx") return of_arrays(".idx", {""});
  if (name == "gz") return of_arrays(".idx.gz", {""});
  if (name == "csv") return of_arrays(".csv", {""});
  if (name == "npy") return of_arrays(".npy", {""});
  if (name == "hdf5") return of_arrays(".h5", {"", ":/f4", ":/gzip", ":/group/inner", ":/group/other"});
  if (name == "checkpoint" || name == "keras_h5") return of_model(".h5");
  if (name == "keras_zip") return of_model(".keras");
  if (name == "json") return of_model(".json");
  if (name == "configuration") {
    return [](const std::uint8_t* bytes, std::size_t size) {
      read_configuration(text_of(bytes, size),
                         choose(2, bytes, size) == 0 ? cli::Hash::kComment : cli::Hash::kCharacter);
    };
  }
  if (name == "expression")
    return [](const std::uint8_t* bytes, std::size_t size) { read_expression(text_of(bytes, size)); };
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
