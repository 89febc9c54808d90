#include "train/report/plot_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nntrain::train {

namespace {

/// 1, 2, 5, 10, 20, ...: the least that cuts `length` into at most `most` parts.
std::int64_t nice_step(double length, int most) {
  for (std::int64_t decade = 1;; decade *= 10) {
    for (const std::int64_t step : {1, 2, 5}) {
      if (length <= static_cast<double>(step * decade * most)) return step * decade;
    }
  }
}

void keep_positive(PlotCurve& curve) {
  std::erase_if(curve, [](const PlotPoint& point) { return point.value <= 0; });
}

}  // namespace

std::string plot_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') {
      result += ' ';
    } else {
      result += c == '\'' ? "''" : std::string(1, c);
    }
  }
  return result + "'";
}

PlotPanel plot_panel(const std::vector<PlotRun>& runs, const std::string& result, int smooth,
                     bool logarithmic) {
  PlotPanel panel{result, {}, {}, {}};
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const checkpoint::History& history = runs[run].history;
    PlotCurve training = plot_curve(history, result, -0.5);
    PlotCurve validation = plot_curve(history, "val_" + result, 0);
    const std::optional<PlotPoint> best = best_epoch(history);
    if (logarithmic) {
      keep_positive(training);
      keep_positive(validation);
    }
    const PlotCurve marked = smoothed(validation.empty() ? training : validation, smooth);
    for (const PlotPoint& point : marked) {
      if (best && std::abs(std::ceil(point.epoch) - best->epoch) < 0.25) {
        panel.best.push_back(point);
        panel.best_runs.push_back(run);
      }
    }
    if (!training.empty()) panel.lines.push_back({run, false, smoothed(training, smooth)});
    if (!validation.empty()) panel.lines.push_back({run, true, smoothed(validation, smooth)});
  }
  return panel;
}

PlotPanel learning_rate_panel(const std::vector<PlotRun>& runs) {
  PlotPanel panel{"learning rate", {}, {}, {}};
  for (std::size_t run = 0; run < runs.size(); ++run) {
    PlotCurve curve = plot_curve(runs[run].history, "learning_rate", -1);
    if (curve.empty()) continue;
    curve.push_back({curve.back().epoch + 1, curve.back().value});
    panel.lines.push_back({run, true, std::move(curve)});
  }
  return panel;
}

std::string plot_data_block(const std::string& name, const PlotCurve& curve) {
  std::string text = "$" + name + " << EOD\n";
  for (const PlotPoint& point : curve) text += fmt::format("{:.9g} {:.9g}\n", point.epoch, point.value);
  return text + "EOD\n";
}

std::string epoch_axis(const std::vector<PlotRun>& runs, int most) {
  double first = 1e300, last = -1e300;
  for (const PlotRun& run : runs) {
    for (const PlotPoint& point : plot_curve(run.history, "epoch", 0)) {
      first = std::min(first, point.epoch - 1);
      last = std::max(last, point.epoch);
    }
  }
  const double margin = 0.02 * (last - first);
  return fmt::format("set xrange [{:.9g}:{:.9g}]\nset xtics {}\n", first, last + margin,
                     nice_step(last - first, most));
}

std::string value_axis(const PlotPanel& panel, bool logarithmic) {
  double least = 1e300, most = 0;
  for (const PlotLine& line : panel.lines) {
    for (const PlotPoint& point : line.curve) {
      least = std::min(least, point.value);
      most = std::max(most, point.value);
    }
  }
  const bool above_zero = least >= 0 && least < 0.04 * (most - least);  // room below would be negative
  if (!logarithmic || most <= 0)
    return fmt::format(
        "unset logscale\nset ytics autofreq\nset autoscale yfix\nset offsets 0, 0, graph 0.04, {}\n",
        above_zero ? "0" : "graph 0.04");
  const double margin = std::pow(most / least, 0.05) * 1.02;
  const double decades = std::log10(most / least);
  const std::vector<int> mantissas = decades < 0.5   ? std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9}
                                     : decades < 1.5 ? std::vector<int>{1, 2, 3, 5, 7}
                                     : decades < 3   ? std::vector<int>{1, 2, 5}
                                                     : std::vector<int>{1};
  const int skip = decades > 12 ? static_cast<int>(decades / 6) : 1;
  std::string tics;
  const int top = static_cast<int>(std::ceil(std::log10(most)));
  for (int decade = static_cast<int>(std::floor(std::log10(least))); decade <= top; decade += skip) {
    for (const int mantissa : mantissas) {
      const double value = mantissa * std::pow(10.0, decade);
      if (value >= least / margin && value <= most * margin)
        tics += fmt::format("{0}'{1:g}' {1:.12g}", tics.empty() ? "" : ",", value);
    }
  }
  return fmt::format("set logscale y\nunset offsets\nset yrange [{:.9g}:{:.9g}]\nset ytics ({})\n",
                     least / margin, most * margin, tics);
}

std::string best_words(const checkpoint::History& history) {
  const std::optional<PlotPoint> best = best_epoch(history);
  return best ? fmt::format("lowest {} {:.4g} in epoch {:.0f}", judged_by(history), best->value, best->epoch)
              : "";
}

}  // namespace nntrain::train
