// Models and configurations: checkpoint, keras_h5 (whole models and .weights.h5), keras_zip, json,
// configuration, expression.

#include <vector>

#include "checkpoint/checkpoint.h"
#include "cli/ini.h"
#include "core/call.h"
#include "fuzz/checksums.h"
#include "fuzz/harness.h"
#include "nn/layers/layer.h"
#include "train/config/settings.h"
#include "train/run/setup.h"

namespace nntrain::fuzz {

namespace {

/// Larger models are read and not built: what they take is their user's wish.
constexpr std::int64_t kMostFloats = 100000;

/// As train, predict and evaluate go on with what they read.
void build(const checkpoint::Contents& contents) {
  const train::ModelSource source = train::model_source_of(contents);
  std::int64_t parameters = 0;
  for (const checkpoint::WeightArray& weight : source.weights) parameters += weight.shape.size();
  if (parameters > kMostFloats) return;
  const auto model = train::build_model(source, Shape{4});
  if (!source.has_weights || model->total_floats() > kMostFloats) return;
  std::vector<float> values(static_cast<std::size_t>(model->total_floats()));
  model->bind(values);
  train::assign_weights(*model, source.weights, contents.origin);
}

void read_model(const std::string& path) {
  attempt([&] { build(checkpoint::read(path)); });
}

/// `repair` null: as the input is. Else three in four get the checksums of what they hold.
Read of_model(const std::string& ending, std::string (*repair)(std::string) = nullptr) {
  static InputFile file(ending);
  return [repair](const std::uint8_t* bytes, std::size_t size) {
    if (repair == nullptr || choose(4, bytes, size) == 0) return read_model(file.hold(bytes, size));
    const std::string repaired = repair(text_of(bytes, size));
    read_model(file.hold(reinterpret_cast<const std::uint8_t*>(repaired.data()), repaired.size()));
  };
}

/// Keras' whole models; and files of weights alone, for Dense and BatchNormalization.
Read of_keras_h5() {
  static InputFile file(".h5");
  const std::vector<Json> layers = {nn::layers().canonical(parse_call("Dense(2)")),
                                    nn::layers().canonical(parse_call("BatchNormalization()"))};
  return [layers](const std::uint8_t* bytes, std::size_t size) {
    const std::string& path = file.hold(bytes, size);
    if (choose(4, bytes, size) > 0) return read_model(path);
    attempt([&] { checkpoint::read_weights(path, layers); });
  };
}

/// As a checkpoint keeps its text, or as a file; one in sixteen is also written again.
void read_configuration(const std::uint8_t* bytes, std::size_t size) {
  const std::size_t way = choose(32, bytes, size);
  attempt([&] {
    train::Configuration configuration;
    cli::read_ini(text_of(bytes, size), "fuzz.ini",
                  way % 2 == 0 ? cli::Hash::kComment : cli::Hash::kCharacter, configuration);
    if (way / 2 == 0) static_cast<void>(configuration.to_ini());
    static_cast<void>(train::read_settings(configuration));
  });
}

void read_expression(const std::string& text) {
  attempt([&] {
    for (const Json& item : parse_call_list(text)) static_cast<void>(format_call(item));
  });
  attempt([&] { static_cast<void>(nn::layers().make(parse_call(text))); });
}

}  // namespace

Read reader(const std::string& name) {
  if (name == "checkpoint") return of_model(".h5", with_hdf5_checksums);
  if (name == "keras_h5") return of_keras_h5();
  if (name == "keras_zip") return of_model(".keras", with_zip_checksums);
  if (name == "json") return of_model(".json");
  if (name == "configuration") return read_configuration;
  if (name == "expression")
    return [](const std::uint8_t* bytes, std::size_t size) { read_expression(text_of(bytes, size)); };
  return {};
}

}  // namespace nntrain::fuzz
