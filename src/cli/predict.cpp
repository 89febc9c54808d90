#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/predict_stream.h"
#include "cli/version.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/journal_file.h"
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

/// What an earlier process that was killed had predicted already; returns how many rows.
std::int64_t take_kept_blocks(io::JournalFile& journal, const train::Inference& inference,
                              train::PredictionWriter& writer) {
  std::int64_t rows = 0;
  std::vector<std::byte> bytes;
  while (journal.next(bytes)) {
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    const train::Predictions block = inference.prediction_block(rows, values);
    writer.add(block);
    rows += block.rows;
  }
  return rows;
}

void note_journal(const io::JournalFile& journal, std::int64_t done, std::int64_t rows,
                  const std::string& output) {
  using Found = io::JournalFile::Found;
  if (done > 0)
    log::note(
        fmt::format("{} of {} rows were predicted by a run that did not end; it goes on from there ({})",
                    done, rows, journal.path()));
  if (journal.found() == Found::kOther)
    log::note(
        fmt::format("{} was of another model, other inputs or other settings: all rows of {} are "
                    "predicted anew",
                    journal.path(), output));
  if (journal.found() == Found::kTaken || journal.found() == Found::kNotOurs)
    log::note(fmt::format("{} {}: after a kill all rows would be predicted anew", journal.path(),
                          journal.found() == Found::kTaken
                              ? "is another process's, which writes the same output"
                              : "is no file of this program"));
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
    if (io::kind_of_special_file(data.inputs) == "a pipe")
      throw InputError(
          "data.inputs \"" + data.inputs + "\" is a pipe, not a regular file; write what it gives " +
          "to a file first, or let predict read rows of CSV from it as they come: " + "--data.inputs=- < " +
          data.inputs);
    train::check_prediction_output(output, line.file, data, names_of(contents, data));
  });
  if (configuration.text("data.inputs") == "-")
    return predict_stream(session, std::move(contents), configuration, output);
  train::Inference inference(session, log::standard(), std::move(contents), configuration,
                             train::Inference::Task::kPredict);
  for (const std::string& note : inference.notes()) log::note(note);
  const train::Predictions head = inference.prediction_head();
  std::optional<io::JournalFile> journal;
  std::optional<train::PredictionWriter> writer;
  const auto on_root = [&](const std::function<void()>& work) {
    comm::collectively(session, "write " + output, [&] {
      if (session.is_root()) work();
    });
  };
  std::int64_t done = 0;
  on_root([&] {
    writer.emplace(output, head);
    if (io::is_stream(output) || !inference.predicts_in_blocks()) return;
    journal.emplace(output, inference.prediction_identity(line.file, version_number()));
    done = take_kept_blocks(*journal, inference, *writer);
  });
  done = session.maximum(done);
  if (journal) note_journal(*journal, done, head.rows, output);
  const double seconds = inference.predict(
      [&](const train::Predictions& block) {
        on_root([&] {
          writer->add(block);
          if (journal) journal->append(std::as_bytes(std::span(block.values)));
        });
      },
      done);
  on_root([&] {
    writer->close();
    journal.reset();
  });
  log::info(fmt::format("{} predictions of shape {} written to {} in {}, {:.0f} samples/s", head.rows,
                        head.output_shape.to_string(), output, train::format_duration(seconds),
                        static_cast<double>(head.rows - done) / std::max(seconds, 1e-9)));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
