#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/page_file.h"
#include "train/inference/inference.h"
#include "train/report/evaluation_output.h"
#include "train/report/html/pages.h"
#include "train/report/progress.h"

namespace nntrain::cli {

namespace {

void check_options(const CommandLine& line) {
  if (line.has("json") && line.has("csv"))
    throw InputError("command line: --json and --csv both want standard output; keep one of them");
  if (line.has("output")) check_page_path(line.value("output"), "evaluation");
}

/// One line that ends in \n; text that is not UTF-8 keeps its place.
std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode evaluate(comm::Session& session, const CommandLine& line) {
  if (line.has("json") || line.has("csv")) log::leave_stdout_to_the_answer();
  comm::collectively(session, "evaluate", [&] { check_options(line); });
  checkpoint::Contents contents = read_model_file(session, line.file);
  train::Configuration configuration;
  comm::collectively(session, "evaluate", [&] {
    configuration = stored_configuration(contents, line);
    if (session.is_root() && line.has("output"))
      check_page_output(line.value("output"), line.file, train::read_settings(configuration).data);
  });
  train::Inference inference(session, log::standard(), std::move(contents), configuration,
                             train::Inference::Task::kEvaluate);
  for (const std::string& note : inference.notes()) log::note(note);
  const train::Evaluation evaluation = inference.evaluate();
  if (const std::string output = line.value("output"); !output.empty()) {
    comm::collectively(session, "write " + output, [&] {
      if (session.is_root()) write_page(output, train::html::evaluation_page(line.file, evaluation.report));
    });
  }
  if (!session.is_root()) return ExitCode::kDone;
  for (const std::string& note : evaluation.report.notes) log::note(note);
  if (line.has("json")) {
    log::answer(one_line(train::evaluation_json(evaluation.report)));
  } else if (line.has("csv")) {
    log::answer(train::evaluation_csv(evaluation.report));
  } else {
    log::info(fmt::format("{} samples - {} - {:.0f} samples/s - {}", evaluation.rows,
                          train::format_duration(evaluation.seconds),
                          static_cast<double>(evaluation.rows) / std::max(evaluation.seconds, 1e-9),
                          train::format_logs(evaluation.logs)));
    log::answer("\n" + train::evaluation_text(evaluation.report));
  }
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
