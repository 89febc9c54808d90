#include "checkpoint/export.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "checkpoint/keras.h"
#include "cli/commands.h"
#include "cli/log.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"
#include "train/run/setup.h"

namespace nntrain::cli {

namespace {

void check_output(const std::string& output) {
  if (output.empty())
    throw InputError(
        "no output given; add --output=FILE.keras, .weights.h5, .h5, .json (architecture), .npz (weights), "
        ".csv "
        "(history) or .onnx");
  checkpoint::check_export_path(output);
}

/// On rank 0: may `output` be written, and can it?
void guard_output(const std::string& input, const std::string& output) {
  io::OutputGuard guard;
  guard.add_input(input, "the file that is exported");
  guard.add_output(output, "--output", checkpoint::is_export);
  io::try_output(output, 0);
}

/// data.target_scale: what the file's outputs are.
std::string note_of_scale(const std::string& output) {
  if (output.ends_with(".csv")) return "the losses are those of standardised targets (data.target_scale)";
  if (output.ends_with(".npz") || output.ends_with(".weights.h5"))
    return "these weights make standardised targets (data.target_scale); a last Rescaling layer, as in an "
           "exported .keras, restores their units";
  return "a last layer, Rescaling, brings the outputs into the targets' units (data.target_scale)";
}

/// The file's model, built, so that every argument, name and shape is there.
checkpoint::Exportable exportable(checkpoint::Contents contents) {
  train::ModelSource source = train::model_source_of(contents);
  if (source.target_scale.active()) source.layers.push_back(train::restoring_layer(source.target_scale));
  const std::unique_ptr<nn::Sequential> model = train::build_model(source, Shape{});
  checkpoint::Exportable result;
  if (source.has_weights) {
    std::vector<float> values(static_cast<std::size_t>(model->total_floats()));
    model->bind(values);
    train::assign_weights(*model, source.weights, contents.origin);
    contents.weights = train::weights_of(*model);
  }
  contents.model_config = model->config();
  contents.training_config =
      checkpoint::without_what_goes_without_saying(std::move(contents.training_config));
  contents.layer_names.clear();
  result.shapes.push_back(model->input_shape());
  for (std::size_t i = 0; i < model->layers().size(); ++i) {
    contents.layer_names.push_back(model->layers()[i]->name());
    result.shapes.push_back(model->layer_output_shape(static_cast<int>(i)));
  }
  result.contents = std::move(contents);
  return result;
}

}  // namespace

ExitCode export_model(comm::Session& session, const CommandLine& line) {
  const std::string output = line.value("output");
  comm::collectively(session, "export", [&] {
    check_output(output);
    if (session.is_root()) guard_output(line.file, output);
  });
  checkpoint::Contents contents = train::read_contents(session, line.file);
  comm::collectively(session, "export " + output, [&] {
    if (!session.is_root()) return;
    if (contents.architecture_only && !output.ends_with(".json"))
      throw InputError("\"" + line.file + "\" holds an architecture only, no weights");
    const bool scaled = train::model_source_of(contents).target_scale.active();
    std::vector<std::string> notes = checkpoint::export_file(output, exportable(std::move(contents)));
    if (scaled) notes.push_back(note_of_scale(output));
    for (const std::string& note : notes) log::note(note);
    log::info(fmt::format("{} written, {} bytes", output, std::filesystem::file_size(output)));
  });
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
