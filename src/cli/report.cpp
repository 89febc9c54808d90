#include <memory>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/page_file.h"
#include "train/inference/inference.h"
#include "train/report/html/pages.h"
#include "train/report/run_report.h"

namespace nntrain::cli {

namespace {

/// The evaluation of the run's test data, where there are any. All ranks take the same branch.
void evaluate_for(comm::Session& session, const checkpoint::Contents& contents,
                  const train::Configuration& configuration, train::RunReport& report) {
  if (configuration.text("data.test_inputs").empty() &&
      configuration.origin("data.inputs") != "command line") {
    report.evaluation_note = "The configuration names no test data (data.test_inputs, data.test_targets).";
    return;
  }
  try {
    train::Inference inference(session, log::standard(), contents, configuration,
                               train::Inference::Task::kEvaluate);
    for (const std::string& note : inference.notes()) log::note(note);
    report.evaluation = inference.evaluate().report;
  } catch (const Error& error) {  // alike on all ranks
    if (error.code() != ExitCode::kInput) throw;
    report.evaluation_note = std::string("Not evaluated: ") + error.what();
  }
}

}  // namespace

ExitCode report(comm::Session& session, const CommandLine& line) {
  const std::string output = line.value("output");
  checkpoint::Contents contents;
  train::Configuration configuration;
  train::RunReport report;
  comm::collectively(session, "report", [&] { check_page_path(output, "report"); });
  contents = read_model_file(session, line.file);
  comm::collectively(session, "report", [&] {
    configuration = stored_configuration(contents, line);
    if (!session.is_root()) return;
    check_page_output(output, line.file, train::read_settings(configuration).data);
    report = train::make_run_report(line.file, contents, configuration);
  });
  evaluate_for(session, contents, configuration, report);
  comm::collectively(session, "write " + output, [&] {
    if (session.is_root()) write_page(output, train::html::run_page(report));
  });
  if (session.is_root() && !report.evaluation) log::note(report.evaluation_note);
  log::info("Report written to " + output);
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
