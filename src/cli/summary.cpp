#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "core/error.h"
#include "optim/optimizer.h"
#include "train/config/settings.h"
#include "train/data/dataset.h"
#include "train/run/setup.h"

namespace nntrain::cli {

namespace {

/// What is summed up: a model, and how it would be trained where that is known.
struct Subject {
  std::unique_ptr<nn::Sequential> model;
  std::int64_t batch_size = 32;
  Json optimizer;  ///< null: not known
};

/// Of the keys, a file that holds a model leaves only the mini-batch open.
void check_keys(const CommandLine& line) {
  for (const auto& [key, value] : line.settings) {
    if (key == "fit.batch_size") continue;
    throw InputError("command line: summary of \"" + line.file + "\", which holds a model, takes no --" +
                     key + "; of the keys it takes --fit.batch_size");
  }
}

Subject from_model_file(comm::Session& session, const CommandLine& line) {
  comm::collectively(session, "summary", [&] { check_keys(line); });
  const checkpoint::Contents contents = read_model_file(session, line.file);
  Subject subject;
  comm::collectively(session, "summary", [&] {
    subject.model = train::build_model(train::model_source_of(contents), Shape{});
    const train::Settings settings = train::read_settings(stored_configuration(contents, line));
    subject.batch_size = settings.fit.batch_size;
    if (contents.ours) subject.optimizer = settings.compile.optimizer;
  });
  return subject;
}

Subject from_configuration(comm::Session& session, const CommandLine& line) {
  const train::Configuration configuration = read_configuration(session, line);
  train::Settings settings;
  comm::collectively(session, "configuration", [&] { settings = train::read_settings(configuration); });
  const train::ModelSource source = train::read_model_source(session, settings.model);
  Subject subject{nullptr, settings.fit.batch_size, settings.compile.optimizer};
  comm::collectively(session, "summary", [&] {
    Shape shape = source.input;
    if (!source.has_input) {
      if (settings.data.inputs.empty())
        throw InputError("the input shape is not known; give model.input_shape or data.inputs");
      settings.data.text = train::text_demand(source);
      shape = train::sample_shape(settings.data);
    }
    subject.model = train::build_model(source, shape);
  });
  return subject;
}

/// "1.23 MB", right-aligned.
std::string bytes_of(double floats) {
  double value = floats * 4;
  const char* unit = "B";
  for (const char* larger : {"KB", "MB", "GB", "TB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = larger;
  }
  return fmt::format("{:>9.2f} {:<2}", value, unit);
}

/// "2.3 M", with three digits.
std::string count_of(double number) {
  const char* unit = "";
  for (const char* larger : {" K", " M", " G", " T"}) {
    if (number < 1000) break;
    number /= 1000;
    unit = larger;
  }
  return fmt::format("{:.3g}{}", number, unit);
}

/// Before anything is allocated: what a run would take, and compute.
std::string memory_and_work(comm::Session& session, Subject& subject) {
  nn::Sequential& model = *subject.model;
  const std::int64_t ranks = session.size(), rows = (subject.batch_size + ranks - 1) / ranks;
  model.prepare(rows, nn::Mode::kTraining);
  const auto trainable = static_cast<double>(model.trainable_floats());
  std::string text = fmt::format("Memory of a run with {} rank{}, fit.batch_size = {}:\n", ranks,
                                 ranks == 1 ? "" : "s", subject.batch_size);
  text += " parameters      " + bytes_of(static_cast<double>(model.total_floats())) + " once a node\n";
  text += " gradients       " + bytes_of(trainable) + " a rank\n";
  text += " activations     " + bytes_of(static_cast<double>(model.workspace_floats())) +
          fmt::format(" a rank, for {} rows of the mini-batch\n", rows);
  if (!subject.optimizer.is_null()) {
    const auto optimizer = optim::optimizers().make(subject.optimizer);
    const auto slots = static_cast<double>(optimizer->slot_names().size());
    text += " optimizer state " + bytes_of(slots * trainable / static_cast<double>(ranks)) +
            fmt::format(" a rank: {} keeps {} values a parameter, cut among the ranks\n",
                        optimizer->spec()["class_name"].get<std::string>(), slots);
  }
  const double batch = static_cast<double>(subject.batch_size);
  text += fmt::format("FLOPs: {} a sample forward, {} in training; {} a step of {} samples",
                      count_of(model.forward_flops()), count_of(model.training_flops()),
                      count_of(model.training_flops() * batch), subject.batch_size);
  return text;
}

}  // namespace

ExitCode summary(comm::Session& session, const CommandLine& line) {
  std::int64_t is_model = 0;
  comm::collectively(session, "summary", [&] {
    if (session.is_root() && kind_of_file(line.file) == FileKind::kModel) is_model = 1;
  });
  Subject subject =
      session.maximum(is_model) == 1 ? from_model_file(session, line) : from_configuration(session, line);
  log::info(nn::summary_table(*subject.model, nn::SummaryColumns::kAll));
  for (const std::string& note : nn::model_notes(*subject.model)) log::note(note);
  comm::collectively(session, "summary", [&] { log::info(memory_and_work(session, subject)); });
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
