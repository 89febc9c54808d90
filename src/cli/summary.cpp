#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "core/error.h"
#include "core/log.h"
#include "train/config/settings.h"
#include "train/data/dataset.h"
#include "train/run/setup.h"

namespace nntrain::cli {

ExitCode summary(comm::Session& session, const CommandLine& line) {
  comm::collectively(session, "summary", [&] {
    std::unique_ptr<nn::Sequential> model;
    if (is_model_file(line.file)) {
      const train::ModelSource source = train::model_source_of(train::read_contents(session, line.file));
      model = train::build_model(source, Shape{});
    } else {
      const train::Settings settings = train::read_settings(read_configuration(session, line));
      const train::ModelSource source = train::read_model_source(session, settings.model);
      Shape shape = source.input;
      if (!source.has_input) {
        data::SourceOptions options;
        options.source = settings.data.inputs;
        options.columns = settings.data.input_columns;
        options.exclude_columns = settings.data.target_columns;
        options.key = "data.inputs";
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

}  // namespace nntrain::cli
