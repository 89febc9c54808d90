// The report of a run, section by section.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/report/html/chart.h"
#include "train/report/html/markup.h"
#include "train/report/html/pages.h"
#include "train/report/progress.h"

namespace nntrain::train::html {

namespace {

constexpr std::size_t kMostRows = 1000;  ///< of a table

std::string tile(const std::string& name, const std::string& value) {
  return element("div", element("b", escaped(value)) + escaped(name), "class=\"tile\"") + "\n";
}

std::string state_sentence(const RunReport& report) {
  const std::string of = report.epochs > 0 ? fmt::format(" of {}", report.epochs) : "";
  if (!report.state.finished) {
    return report.state.step > 0
               ? fmt::format("Not finished: {} epochs are done, and {} steps of the next one.",
                             report.state.epoch, report.state.step)
               : fmt::format("Not finished: {}{} epochs are done.", report.state.epoch, of);
  }
  return fmt::format("Finished: {}{} epochs{}.", report.state.epoch, of,
                     report.ended_by.empty() ? "" : ", ended by " + report.ended_by);
}

std::string top(const RunReport& report) {
  std::string tiles = tile("epochs", std::to_string(report.state.epoch));
  if (report.best) {
    for (const char* name : {"val_loss", "val_accuracy", "loss", "accuracy"}) {
      const std::vector<double>* values = column_of(report.history, name);
      if (values == nullptr || *report.best >= values->size() || std::isnan((*values)[*report.best]))
        continue;
      tiles += tile(fmt::format("{}, best epoch {}", name, *report.best + 1),
                    format_value((*values)[*report.best]));
    }
  }
  tiles += tile("parameters", with_commas(report.parameters));
  if (report.rows > 0) tiles += tile("training rows", with_commas(report.rows));
  if (report.seconds > 0) tiles += tile("training time", format_duration(report.seconds));
  std::string text =
      element("p", escaped(state_sentence(report))) + "\n" + element("div", tiles, "class=\"tiles\"") + "\n";
  for (const std::string& note : report.notes) text += element("p", escaped(note), "class=\"note\"") + "\n";
  return text;
}

std::string model_section(const RunReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const ReportedLayer& layer : report.layers) {
    if (rows.size() == kMostRows) {
      rows.push_back(
          {fmt::format("{} more", report.layers.size() - kMostRows), "", "summary lists all", "", ""});
      break;
    }
    rows.push_back(
        {layer.name, layer.class_name, layer.details, layer.output_shape, with_commas(layer.parameters)});
  }
  return layers_drawing(report) +
         element("p", escaped(fmt::format("Model \"{}\": {} parameters, {} of them trainable, {:.2f} MB.",
                                          report.model_name, with_commas(report.parameters),
                                          with_commas(report.trainable),
                                          static_cast<double>(report.parameters) * 4 / 1048576))) +
         "\n" +
         element("details", element("summary", "The same as a table") +
                                table({"layer", "type", "", "output shape", ">parameters"}, rows)) +
         "\n";
}

std::string balance_bars(const ClassBalance& balance) {
  std::int64_t most = 1, all = 0;
  for (const auto& [name, count] : balance.rows) {
    most = std::max(most, count);
    all += count;
  }
  std::string rows;
  for (const auto& [name, count] : balance.rows) {
    const double share = static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, all));
    const std::string bar = fmt::format(
        "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" style=\"height:0.8rem;min-width:5rem\" "
        "aria-hidden=\"true\"><rect class=\"f0\" x=\"0\" y=\"0\" height=\"10\" width=\"{:.2f}\" /></svg>",
        100.0 * static_cast<double>(count) / static_cast<double>(most));
    rows += element("tr", element("td", escaped(name)) + element("td", with_commas(count), "class=\"n\"") +
                              element("td", fmt::format("{:.1f} %", 100 * share), "class=\"n\"") +
                              element("td", bar, "style=\"width:40%\"")) +
            "\n";
  }
  return element("h3", escaped("Classes in " + balance.where)) +
         element("div", element("table", element("tbody", rows), "style=\"width:100%\""), "class=\"wide\"") +
         "\n";
}

std::string data_section(const RunReport& report) {
  if (report.data.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const ReportedData& data : report.data)
    rows.push_back({data.name, data.source, data.size, data.fingerprint.substr(0, 16)});
  std::string text = element("p", escaped(fmt::format("{} rows train, {} validate.", with_commas(report.rows),
                                                      with_commas(report.validation_rows)))) +
                     "\n" + table({"", "source", "size", "SHA-256 (first 16)"}, rows);
  if (!report.balance.rows.empty()) return text + balance_bars(report.balance);
  if (!report.balance.where.empty())
    text += element("p", escaped("No balance of classes: " + report.balance.where), "class=\"soft\"") + "\n";
  return text;
}

std::string settings_section(const RunReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const ReportedSetting& setting : report.settings) {
    if (rows.size() == kMostRows) {
      rows.push_back(
          {fmt::format("{} more", report.settings.size() - kMostRows), "run.ini below has all", ""});
      break;
    }
    rows.push_back({setting.key, setting.value, setting.default_value});
  }
  return rows.empty() ? "" : table({"key", "value", "default"}, rows);
}

/// Epochs end at 1, 2, ...; a training value is the mean of its epoch, so it belongs half an epoch earlier.
Series curve(const std::vector<double>& epochs, const std::vector<double>& values, const std::string& name,
             bool validation) {
  Series series{name, validation ? 1 : 0, false, false, {}};
  for (std::size_t i = 0; i < values.size() && i < epochs.size(); ++i)
    series.points.emplace_back(epochs[i] - (validation ? 0.0 : 0.5), values[i]);
  return series;
}

std::string curves_section(const RunReport& report) {
  const std::vector<double>* epochs = column_of(report.history, "epoch");
  if (epochs == nullptr || epochs->empty()) return "";
  std::string charts;
  const auto draw = [&](const std::string& name) {
    Chart drawing;
    drawing.title = name;
    drawing.x_label = "epoch";
    drawing.x_range = {0.0, epochs->back()};
    const std::vector<double>* training = column_of(report.history, name);
    const std::vector<double>* validation = column_of(report.history, "val_" + name);
    if (training != nullptr) drawing.series.push_back(curve(*epochs, *training, "training", false));
    if (validation != nullptr) drawing.series.push_back(curve(*epochs, *validation, "validation", true));
    if (name == "learning_rate") drawing.series.front().name.clear();
    if (report.best && *report.best < epochs->size() && name != "learning_rate") {
      drawing.mark = (*epochs)[*report.best] - (report.best_name == "loss" ? 0.5 : 0.0);
      drawing.mark_label = fmt::format("best epoch {:.0f}", (*epochs)[*report.best]);
    }
    charts += chart(drawing);
  };
  draw("loss");
  for (const auto& [name, values] : report.history.columns) {
    if (name != "loss" && name != "epoch" && name != "seconds" && !name.starts_with("val_")) draw(name);
  }
  return element(
             "p",
             "Training values are means over their epoch and stand half an epoch to the left; validation is "
             "measured at the end of the epoch.",
             "class=\"soft\"") +
         "\n" + element("div", charts, "class=\"charts\"") + "\n";
}

std::string speed_section(const RunReport& report) {
  const std::vector<double>* epochs = column_of(report.history, "epoch");
  if (epochs == nullptr || report.samples_per_second.empty()) return "";
  std::vector<double> known;
  std::copy_if(report.samples_per_second.begin(), report.samples_per_second.end(), std::back_inserter(known),
               [](double value) { return std::isfinite(value); });
  if (known.empty()) return "";
  Chart drawing;
  drawing.title = "samples per second";
  drawing.x_label = "epoch";
  drawing.x_range = {0.0, epochs->back()};
  drawing.y_range = {0.0, *std::max_element(known.begin(), known.end())};
  drawing.series.push_back(curve(*epochs, report.samples_per_second, "", true));
  drawing.series.front().color = 0;
  std::nth_element(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2), known.end());
  return element("div", chart(drawing), "class=\"charts\"") + "\n" +
         element("p", escaped(fmt::format("Median {:.0f} samples/s; {} of training in {} epochs.",
                                          known[known.size() / 2], format_duration(report.seconds),
                                          epochs->size()))) +
         "\n";
}

std::string reproduce_section(const RunReport& report) {
  std::vector<std::pair<std::string, std::string>> entries = report.environment;
  entries.emplace_back("seed", std::to_string(report.state.seed));
  entries.emplace_back("shards", std::to_string(report.state.shards));
  entries.emplace_back("weights_digest", report.digest);
  if (report.configuration.empty()) return facts(entries);
  return element("p",
                 "Save the configuration below as run.ini. The number of ranks is free: it never changes a "
                 "bit of the "
                 "result, and the digest must come out the same.") +
         "\n" +
         code(
             "mpirun -np 2 nntrain-dist train run.ini --checkpoint.path=again.h5 --checkpoint.resume=never\n"
             "nntrain-dist inspect again.h5        # shows weights_digest") +
         facts(entries) + element("details", element("summary", "run.ini") + code(report.configuration)) +
         "\n";
}

std::string go_on_section(const RunReport& report) {
  if (report.configuration.empty()) return "";
  const std::int64_t more = std::max<std::int64_t>(1, 2 * std::max(report.epochs, report.state.epoch));
  const std::string path = " --checkpoint.path=" + report.checkpoint;
  std::string text = element("p", escaped(state_sentence(report))) + "\n";
  text += report.state.finished
              ? element("p", "For more epochs, raise fit.epochs; everything else stays:") + "\n" +
                    code(fmt::format("nntrain-dist train run.ini{} --fit.epochs={}", path, more))
              : element("p", "The same command goes on, at any number of ranks:") + "\n" +
                    code("nntrain-dist train run.ini" + path);
  return text + element("p", "Predictions:") + "\n" +
         code("nntrain-dist predict " + report.checkpoint + " --data.inputs=SOURCE --output=predictions.csv");
}

}  // namespace

std::string run_page(const RunReport& report) {
  std::string body = element("section", top(report)) + "\n";
  body += section("Learning curves", curves_section(report));
  if (report.evaluation) {
    body += section("Evaluation", evaluation_body(*report.evaluation));
  } else if (!report.evaluation_note.empty()) {
    body += section("Evaluation", element("p", escaped(report.evaluation_note), "class=\"soft\""));
  }
  body += section("Model", model_section(report));
  body += section("Data", data_section(report));
  body += section("Settings that differ from defaults", settings_section(report));
  body += section("Speed", speed_section(report));
  body += section("Where the time went", time_section(report.times));
  body += section("How to reproduce it", reproduce_section(report));
  body += section("Where it stopped and how to go on", go_on_section(report));
  return page(report.checkpoint, "Report of a training run, by nntrain-dist report", body);
}

}  // namespace nntrain::train::html
