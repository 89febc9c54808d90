// plot: learning curves of one run or several.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.h"
#include "cli/log.h"
#include "core/call.h"
#include "core/error.h"
#include "core/terminal.h"
#include "train/report/gnuplot.h"
#include "train/report/plot_script.h"

namespace nntrain::cli {

namespace {

constexpr int kMostSmoothing = 10000;

int whole_number(const std::string& text, const std::string& option, int least, int most) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < least || value > most) {
    throw InputError("--" + option + "=" + text + " must be a whole number from " + std::to_string(least) +
                     " to " + std::to_string(most));
  }
  return static_cast<int>(value);
}

/// A terminal that wraps long lines tears a picture: one column stays free.
int picture_columns() { return static_cast<int>(std::clamp<std::int64_t>(terminal::columns() - 1, 40, 240)); }

train::PlotOptions read_options(const CommandLine& line) {
  train::PlotOptions options;
  const std::string output = line.value("output");
  if (output.empty())
    throw InputError(
        "no output given; add --output=FILE.png, .svg, .pdf or .txt, or --output=- for the terminal");
  options.format = output == "-" ? train::PlotFormat::kText : train::plot_format(output);
  if (output == "-") options.columns = picture_columns();
  options.colour = output == "-" && terminal::is_output();
  options.logarithmic = line.has("log");
  if (line.has("smooth")) options.smooth = whole_number(line.value("smooth"), "smooth", 1, kMostSmoothing);
  if (line.has("metric")) {
    std::istringstream names(line.value("metric"));
    for (std::string name; std::getline(names, name, ',');) {
      name.erase(0, name.find_first_not_of(' '));
      name.erase(name.find_last_not_of(' ') + 1);
      if (!name.empty()) options.results.push_back(name);
    }
    if (options.results.empty()) throw InputError("--metric= names no result; e.g. --metric=loss,accuracy");
  }
  return options;
}

/// Rank 0 reads. A run without a finished epoch is left out, with a note, where others have some.
std::vector<train::PlotRun> read_runs(const std::vector<std::string>& files) {
  std::vector<train::PlotRun> runs;
  std::vector<train::PlotSource> sources;
  std::string empty;
  for (const std::string& file : files) {
    checkpoint::Contents contents = checkpoint::read(file);
    if (!contents.ours) {
      throw InputError("\"" + file +
                       "\" is a Keras file that nntrain-dist did not train: it has no history to draw");
    }
    if (!train::best_epoch(contents.history)) {
      empty = file;
      if (files.size() > 1) log::note(file + " has no finished epoch yet; it is left out");
      continue;
    }
    sources.push_back({file, contents.config});
    runs.push_back({"", std::move(contents.history)});
  }
  if (runs.empty())
    throw InputError("\"" + empty +
                     "\" has no finished epoch with a finite loss yet; there is nothing to draw");
  const std::vector<std::string> labels = train::plot_labels(sources);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].label = labels[i];
  return runs;
}

/// gnuplot draws into a file; the terminal gets its text.
void draw_in_terminal(const std::string& script) {
  namespace fs = std::filesystem;
  const fs::path file = fs::temp_directory_path() / ("nntrain-plot-" + std::to_string(::getpid()) + ".txt");
  std::ostringstream text;
  try {
    train::Gnuplot gnuplot(script, file.string(), train::GnuplotPriority::kNormal);
    gnuplot.finish();
    text << std::ifstream(file).rdbuf();
  } catch (...) {
    fs::remove(file);
    throw;
  }
  fs::remove(file);
  std::string picture = text.str();
  std::erase(picture, '\f');  // gnuplot begins a page with each panel
  log::info(picture);
}

}  // namespace

ExitCode plot(comm::Session& session, const CommandLine& line) {
  comm::collectively(session, "plot", [&] {
    const train::PlotOptions options = read_options(line);
    if (!session.is_root()) return;
    const std::string output = line.value("output");
    if (output != "-") train::check_plot_output(output, line.files);
    const std::vector<train::PlotRun> runs = read_runs(line.files);
    const std::string script = train::plot_script(runs, options);
    if (output == "-") {
      draw_in_terminal(script);
      return;
    }
    train::Gnuplot gnuplot(script, output, train::GnuplotPriority::kNormal);
    gnuplot.finish();
    log::info("Learning curves of " + std::to_string(runs.size()) + (runs.size() == 1 ? " run" : " runs") +
              " written to " + output);
  });
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
