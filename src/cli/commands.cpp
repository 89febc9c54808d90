#include "cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "core/log.h"
#include "core/products/gemm.h"
#include "io/hdf5.h"
#include "train/inference/inference.h"
#include "train/loop/fit.h"
#include "train/report/progress.h"

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
          (path.ends_with(".h5") ? "; evaluate, predict, summary and inspect take checkpoints" : ""));
    }
  });
  return session.broadcast_text(text);
}

/// The file's text, overridden by the command line.
train::Configuration configuration_of(const std::string& text, const CommandLine& line) {
  train::Configuration configuration;
  read_ini(text, line.file, configuration);
  apply_settings(line, configuration);
  if (configuration.text("checkpoint.path").empty()) {
    const std::string name = std::filesystem::path(line.file).stem().string() + ".h5";
    configuration.clear("checkpoint.path");
    configuration.add("checkpoint.path", {name, "default"});
  }
  return configuration;
}

train::Configuration read_configuration(comm::Session& session, const CommandLine& line) {
  return configuration_of(read_on_root(session, line.file), line);
}

bool is_checkpoint(const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); }

/// The configuration kept in a checkpoint, overridden by the command line.
train::Configuration stored_configuration(const checkpoint::Contents& contents, const CommandLine& line) {
  train::Configuration configuration;
  read_ini(contents.config, line.file, configuration);
  apply_settings(line, configuration);
  return configuration;
}

std::string format_speed(std::int64_t rows, double seconds) {
  return fmt::format("{:.0f} samples/s", static_cast<double>(rows) / std::max(seconds, 1e-9));
}

}  // namespace

ExitCode train(comm::Session& session, const CommandLine& line, StopToken& stop) {
  train::Configuration configuration;
  const std::string text = read_on_root(session, line.file);
  comm::collectively(session, "configuration", [&] {
    configuration = configuration_of(text, line);
    log::start(session.is_root() ? log::Voice::kSpeaks : log::Voice::kSilent, configuration.text("run.log"));
  });
  return train::fit(*train::open_run(session, configuration, version_number(), stop));
}

ExitCode evaluate(comm::Session& session, const CommandLine& line) {
  std::unique_ptr<train::Inference> inference;
  comm::collectively(session, "evaluate", [&] {
    checkpoint::Contents contents = train::read_contents(session, line.file);
    const train::Configuration configuration = stored_configuration(contents, line);
    inference = std::make_unique<train::Inference>(session, std::move(contents), configuration,
                                                   train::Inference::Task::kEvaluate);
  });
  const train::Evaluation evaluation = inference->evaluate();
  log::info(
      fmt::format("{} samples - {} - {} - {}", evaluation.rows, train::format_duration(evaluation.seconds),
                  format_speed(evaluation.rows, evaluation.seconds), train::format_logs(evaluation.logs)));
  return ExitCode::kDone;
}

ExitCode predict(comm::Session& session, const CommandLine& line) {
  std::unique_ptr<train::Inference> inference;
  comm::collectively(session, "predict", [&] {
    if (line.output.empty()) throw InputError("no output given; add --output=FILE.h5, .csv or .npy");
    train::check_prediction_path(line.output);
    checkpoint::Contents contents = train::read_contents(session, line.file);
    const train::Configuration configuration = stored_configuration(contents, line);
    inference = std::make_unique<train::Inference>(session, std::move(contents), configuration,
                                                   train::Inference::Task::kPredict);
  });
  const train::Predictions predictions = inference->predict();
  comm::collectively(session, "write " + line.output, [&] {
    if (session.is_root()) train::write_predictions(line.output, predictions);
  });
  log::info(fmt::format("{} predictions of shape {} written to {} in {}, {}", predictions.rows,
                        predictions.output_shape.to_string(), line.output,
                        train::format_duration(predictions.seconds),
                        format_speed(predictions.rows, predictions.seconds)));
  return ExitCode::kDone;
}

ExitCode summary(comm::Session& session, const CommandLine& line) {
  comm::collectively(session, "summary", [&] {
    std::unique_ptr<nn::Sequential> model;
    if (is_checkpoint(line.file)) {
      const train::ModelSource source = train::model_source_of(train::read_contents(session, line.file));
      model = train::build_model(source, Shape{});
    } else {
      const train::Settings settings = train::read_settings(read_configuration(session, line));
      const train::ModelSource source = train::read_model_source(session, settings.model);
      Shape shape = source.input;
      if (!source.has_input) {
        data::SourceOptions options{
            settings.data.inputs,         data::Role::kInputs, settings.data.input_columns,
            settings.data.target_columns, "data.inputs",       {}};
        if (options.source.empty())
          throw InputError("the input shape is not known; give model.input_shape or data.inputs");
        shape = data::open_array(options)->info().sample;
      }
      model = train::build_model(source, shape);
    }
    log::info(nn::summary_table(*model));
    const double parameter_mib = static_cast<double>(model->total_floats()) * 4 / 1048576;
    log::info(
        fmt::format("Memory: {:.1f} MB of parameters once a node, {:.1f} MB of gradients a rank; {:.3g} "
                    "MFLOP a sample and step",
                    parameter_mib, static_cast<double>(model->trainable_floats()) * 4 / 1048576,
                    model->training_flops() * 1e-6));
  });
  return ExitCode::kDone;
}

ExitCode version() {
  log::info(fmt::format("nntrain-dist {}\n{}\n{}\nHDF5 {}", version_number(),
                        comm::Session::library_version(), gemm::description(), io::hdf5_version()));
  return ExitCode::kDone;
}

std::string version_number() { return NNTRAIN_VERSION; }

}  // namespace nntrain::cli
