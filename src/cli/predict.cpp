#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/predict_stream.h"
#include "core/error.h"
#include "io/stream_file.h"
#include "train/inference/inference.h"
#include "train/inference/prediction_text.h"
#include "train/inference/prediction_writer.h"
#include "train/report/progress.h"

namespace nntrain::cli {

namespace {

/// What an older file of predictions may be called inside.
train::PredictionNames names_of(const checkpoint::Contents& contents, const train::DataSettings& data) {
  train::PredictionNames names;
  names.classes = data.class_names;
  names.ids = data::columns_of_kind(data.table, "id");
  if (!contents.data.is_object()) return names;
  names.classes = contents.data.value("class_names", names.classes);
  names.targets = train::target_names(contents.data.value("table", Json()));
  return names;
}

/// "-" is standard output; so is no output where rows come from standard input.
std::string output_of(const CommandLine& line) {
  const std::string output = line.value("output");
  const bool streams = output.empty() && std::find(line.settings.begin(), line.settings.end(),
                                                   std::pair<std::string, std::string>("data.inputs", "-")) !=
                                             line.settings.end();
  return output == "-" || streams ? "/dev/stdout" : output;
}

}  // namespace

ExitCode predict(comm::Session& session, const CommandLine& line) {
  const std::string output = output_of(line);
  comm::collectively(session, "predict", [&] {
    if (output.empty()) throw InputError("no output given; add --output=FILE.h5, .csv or .npy");
    train::check_prediction_path(output);
  });
  if (io::is_standard_output(output)) log::leave_stdout_to_the_answer();
  checkpoint::Contents contents = read_model_file(session, line.file);
  train::Configuration configuration;
  comm::collectively(session, "predict", [&] {
    configuration = stored_configuration(contents, line);
    if (!session.is_root()) return;
    const train::DataSettings data = train::read_settings(configuration).data;
    train::check_prediction_output(output, line.file, data, names_of(contents, data));
  });
  if (configuration.text("data.inputs") == "-")
    return predict_stream(session, std::move(contents), configuration, output);
  train::Inference inference(session, log::standard(), std::move(contents), configuration,
                             train::Inference::Task::kPredict);
  for (const std::string& note : inference.notes()) log::note(note);
  const train::Predictions head = inference.prediction_head();
  std::optional<train::PredictionWriter> writer;
  const auto on_root = [&](const std::function<void()>& work) {
    comm::collectively(session, "write " + output, [&] {
      if (session.is_root()) work();
    });
  };
  on_root([&] { writer.emplace(output, head); });
  const double seconds =
      inference.predict([&](const train::Predictions& block) { on_root([&] { writer->add(block); }); });
  on_root([&] { writer->close(); });
  log::info(fmt::format("{} predictions of shape {} written to {} in {}, {:.0f} samples/s", head.rows,
                        head.output_shape.to_string(), output, train::format_duration(seconds),
                        static_cast<double>(head.rows) / std::max(seconds, 1e-9)));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
