#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "core/error.h"
#include "io/stream_file.h"
#include "train/inference/inference.h"
#include "train/report/progress.h"

namespace nntrain::cli {

ExitCode predict(comm::Session& session, const CommandLine& line) {
  const std::string output = line.value("output");
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
    train::check_prediction_output(
        output, line.file, data,
        contents.data.is_object() ? contents.data.value("class_names", data.class_names) : data.class_names);
  });
  train::Inference inference(session, log::standard(), std::move(contents), configuration,
                             train::Inference::Task::kPredict);
  for (const std::string& note : inference.notes()) log::note(note);
  const train::Predictions predictions = inference.predict();
  comm::collectively(session, "write " + output, [&] {
    if (session.is_root()) train::write_predictions(output, predictions);
  });
  log::info(fmt::format("{} predictions of shape {} written to {} in {}, {:.0f} samples/s", predictions.rows,
                        predictions.output_shape.to_string(), output,
                        train::format_duration(predictions.seconds),
                        static_cast<double>(predictions.rows) / std::max(predictions.seconds, 1e-9)));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
