#include "train/report/plot_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/registry.h"
#include "train/report/plot_layout.h"
#include "train/run/outputs.h"

namespace nntrain::train {

namespace {

// Okabe and Ito's colours, which people with any kind of colour vision tell apart.
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#e69f00", "#56b4e9", "#000000"};
constexpr const char* kInk = "#333333";
// Pixels.
constexpr int kPanelWidth = 640, kPanelHeight = 400, kRateHeight = 190;
constexpr int kTitleHeight = 44, kLegendRow = 24, kHeaderMargin = 12;
constexpr int kMarginLeft = 78, kMarginRight = 22, kMarginTop = 34, kMarginBottom = 50;
constexpr std::size_t kMostPoints = 40;  ///< longer curves are lines alone

/// Where things are on the canvas, in pixels from the top left.
struct Canvas {
  int width, height;
  std::string x(double pixels) const { return fmt::format("{:.6f}", pixels / width); }
  std::string y(double pixels) const { return fmt::format("{:.6f}", 1 - pixels / height); }
};

struct Picture {
  const std::vector<PlotRun>& runs;
  std::vector<PlotPanel> panels;
  PlotPanel rates;
  Canvas canvas{0, 0};
  int columns = 1, header = 0;
  bool logarithmic = false;
  bool any_validation = false;
  bool several() const { return runs.size() > 1; }
};

/// A lone run: training and validation have colours of their own; several: a colour a run, training dashed.
std::string style_of(const Picture& picture, std::size_t run, bool validation) {
  if (!picture.several()) return fmt::format("lc rgb '{}' lw 2.2 dt 1", kColours[validation ? 1 : 0]);
  const bool thin = picture.any_validation && !validation;
  const std::size_t round = run / kColours.size();
  const char* solid = round % 2 == 0 ? "1" : "(12,3,2,3)";
  return fmt::format("lc rgb '{}' lw {} dt {}", kColours[run % kColours.size()], thin ? "1.4" : "2.2",
                     thin ? "(8,5)" : solid);
}

std::string terminal(const PlotOptions& options, const Canvas& canvas) {
  switch (options.format) {
    case PlotFormat::kSvg:
      return fmt::format(
          "set terminal svg size {},{} dynamic noenhanced background '#ffffff' "
          "font 'sans-serif,15'\n",
          canvas.width, canvas.height);
    case PlotFormat::kPdf:  // 96 pixels an inch
      return fmt::format(
          "set terminal pdfcairo size {:.3f}in,{:.3f}in noenhanced background '#ffffff' "
          "font 'sans-serif,11' fontscale 1\n",
          canvas.width / 96.0, canvas.height / 96.0);
    default:
      return fmt::format(
          "set terminal pngcairo size {},{} noenhanced background '#ffffff' "
          "font 'sans-serif,11'\n",
          canvas.width, canvas.height);
  }
}

std::string label(const std::string& text, const Canvas& canvas, double x, double y, const char* more) {
  return fmt::format("set label {} at screen {}, screen {} {}\n", plot_quoted(text), canvas.x(x), canvas.y(y),
                     more);
}

std::string sample(const Canvas& canvas, double x, double y, const std::string& style) {
  return fmt::format("set arrow from screen {}, screen {} to screen {}, screen {} nohead {}\n", canvas.x(x),
                     canvas.y(y), canvas.x(x + 34), canvas.y(y), style);
}

/// Title and legend above the panels; drawn with the first of them.
std::string header(const Picture& picture) {
  const Canvas& canvas = picture.canvas;
  const std::string left = fmt::format("left front tc rgb '{}'", kInk);
  const std::string bold = "left front font ',15' tc rgb '#000000'";
  const double x = kMarginLeft;
  double y = kTitleHeight / 2.0 + 6;
  std::string text =
      label(picture.several() ? "Learning curves" : "Learning curves of " + picture.runs.front().label,
            canvas, x, y, bold.c_str());
  y += kTitleHeight / 2.0 + kLegendRow / 2.0;
  if (!picture.several()) {
    double at = x;
    const auto entry = [&](bool validation, const char* words, double width) {
      text += sample(canvas, at, y, style_of(picture, 0, validation));
      text += label(words, canvas, at + 42, y, left.c_str());
      at += width;
    };
    entry(false, "training", 130);
    if (picture.any_validation) entry(true, "validation", 140);
    text += label("", canvas, at + 10, y, fmt::format("point pt 6 ps 1.7 lw 2 lc rgb '{}'", kInk).c_str());
    return text + label(best_words(picture.runs.front().history), canvas, at + 24, y, left.c_str());
  }
  for (std::size_t run = 0; run < picture.runs.size(); ++run, y += kLegendRow) {
    text += sample(canvas, x, y, style_of(picture, run, true));
    const std::string best = best_words(picture.runs[run].history);
    text += label(picture.runs[run].label + (best.empty() ? "" : "   (" + best + ")"), canvas, x + 42, y,
                  left.c_str());
  }
  const char* key = picture.any_validation
                        ? "thin and dashed: training; solid: validation; circle: best epoch"
                        : "circle: best epoch";
  return text + label(key, canvas, x + 42, y, "left front tc rgb '#666666'");
}

/// The frame of one panel: its place, title, axes.
std::string frame(const Picture& picture, const PlotPanel& panel, double left, double top, double width,
                  double height) {
  const Canvas& canvas = picture.canvas;
  return fmt::format(
             "set lmargin at screen {}\nset rmargin at screen {}\nset tmargin at screen {}\n"
             "set bmargin at screen {}\n",
             canvas.x(left + kMarginLeft), canvas.x(left + width - kMarginRight), canvas.y(top + kMarginTop),
             canvas.y(top + height - kMarginBottom)) +
         "set title " + plot_quoted(panel.result) + " offset 0,-0.4 font ',13' tc rgb '#000000'\n";
}

std::string curves(const Picture& picture, const PlotPanel& panel, std::size_t number) {
  std::string blocks, plot;
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const PlotLine& line = panel.lines[i];
    const std::string name = fmt::format("panel{}_{}", number, i);
    blocks += plot_data_block(name, line.curve);
    const bool steps = &panel == &picture.rates;
    const bool points = line.curve.size() == 1 ||
                        (line.curve.size() <= kMostPoints && (line.validation || !picture.several()));
    plot += fmt::format("{} ${} using 1:2 with {} {}{} notitle", plot.empty() ? "plot" : ",\\\n    ", name,
                        steps    ? "steps"
                        : points ? "linespoints"
                                 : "lines",
                        steps && !picture.several() ? fmt::format("lc rgb '{}' lw 2.2", kColours[2])
                                                    : style_of(picture, line.run, line.validation),
                        points && !steps ? " pt 7 ps 0.55" : "");
  }
  for (std::size_t i = 0; i < panel.best.size(); ++i) {
    const std::string name = fmt::format("best{}_{}", number, i);
    blocks += plot_data_block(name, {panel.best[i]});
    const char* colour = picture.several() ? kColours[panel.best_runs[i] % kColours.size()] : kInk;
    plot +=
        fmt::format(",\\\n     ${} using 1:2 with points pt 6 ps 1.7 lw 2 lc rgb '{}' notitle", name, colour);
  }
  return blocks + plot + "\n";
}

/// The best epoch of a lone run: a thin line through every panel.
std::string best_line(const Picture& picture) {
  if (picture.several()) return "";
  const std::optional<PlotPoint> best = best_epoch(picture.runs.front().history);
  if (!best) return "";
  return fmt::format(
      "set arrow 99 from {0:.9g}, graph 0 to {0:.9g}, graph 1 nohead back lc rgb '#999999' "
      "lw 1.3 dt (4,4)\n",
      best->epoch);
}

std::string draw_panels(const Picture& picture) {
  std::string text = header(picture);
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    const PlotPanel& panel = picture.panels[i];
    const auto column = static_cast<int>(i) % picture.columns, row = static_cast<int>(i) / picture.columns;
    text += frame(picture, panel, column * kPanelWidth, picture.header + row * kPanelHeight, kPanelWidth,
                  kPanelHeight);
    text += best_line(picture) + value_axis(panel, picture.logarithmic) + curves(picture, panel, i);
    if (i == 0) text += "unset label\nunset arrow\n";  // the header is drawn once
  }
  if (picture.rates.lines.empty()) return text;
  double least = 1e300, most = 0;
  for (const PlotLine& line : picture.rates.lines) {
    for (const PlotPoint& point : line.curve) {
      least = std::min(least, point.value);
      most = std::max(most, point.value);
    }
  }
  const bool logarithmic = least > 0 && most > 10 * least;
  text += frame(picture, picture.rates, 0, picture.canvas.height - kRateHeight, picture.canvas.width,
                kRateHeight);
  text += best_line(picture) + value_axis(picture.rates, logarithmic);
  if (!logarithmic)
    text += fmt::format("set yrange [{:.9g}:{:.9g}]\n", std::min(0.0, least * 1.1), most * 1.1);
  return text + curves(picture, picture.rates, picture.panels.size());
}

std::string graphic_script(Picture& picture, const PlotOptions& options) {
  const auto panels = static_cast<int>(picture.panels.size());
  picture.columns = panels == 1 ? 1 : panels <= 4 ? 2 : 3;
  const int rows = (panels + picture.columns - 1) / picture.columns;
  const int legend = picture.several() ? static_cast<int>(picture.runs.size()) + 1 : 1;
  picture.header = kTitleHeight + legend * kLegendRow + kHeaderMargin;
  picture.canvas.width = std::max(picture.columns * kPanelWidth, picture.several() ? 800 : 0);
  picture.canvas.height =
      picture.header + rows * kPanelHeight + (picture.rates.lines.empty() ? 0 : kRateHeight);
  std::string text = "set encoding utf8\n" + terminal(options, picture.canvas);
  text += fmt::format(
      "set border 3 lc rgb '#888888'\nset tics nomirror out scale 0.5 textcolor rgb '{0}'\n"
      "set grid xtics ytics lt 1 lc rgb '#e4e4e4' lw 1, lt 1 lc rgb '#e4e4e4' lw 1\n"
      "set xlabel 'epoch' offset 0,0.4 textcolor rgb '{0}'\nset format y '%g'\n",
      kInk);
  text += epoch_axis(picture.runs, picture.columns > 2 ? 8 : 10);
  return text + "set multiplot\n" + draw_panels(picture) + "unset multiplot\n";
}

/// Characters: one panel below the other.
std::string text_script(const Picture& picture, const PlotOptions& options) {
  std::string text = "set encoding utf8\nset print '-'\n";
  text += fmt::format("set terminal dumb size {},{} noenhanced nofeed {}\n", options.columns, 20,
                      options.colour ? "ansirgb" : "mono");
  text +=
      "set tics nomirror out scale 0.5\nset border 3\nset key tmargin right horizontal\nset format y '%g'\n";
  text += epoch_axis(picture.runs, std::max(3, options.columns / 10));
  std::vector<PlotPanel> panels = picture.panels;
  if (!picture.rates.lines.empty()) panels.push_back(picture.rates);
  std::string words =
      picture.several() ? "Learning curves" : "Learning curves of " + picture.runs.front().label;
  text += "print " + plot_quoted("nntrain-dist plot: " + words) + "\n";
  for (std::size_t run = 0; run < picture.runs.size(); ++run) {
    const std::string best = best_words(picture.runs[run].history);
    const std::string name =
        picture.several() ? fmt::format("run {}: {}   ", run + 1, picture.runs[run].label) : "";
    text +=
        "print " + plot_quoted(name.empty() || best.empty() ? name + best : name + "(" + best + ")") + "\n";
  }
  static constexpr std::string_view kMarks = "*o+x#%@&";
  for (std::size_t number = 0; number < panels.size(); ++number) {
    const PlotPanel& panel = panels[number];
    std::string blocks, plot;
    for (std::size_t i = 0; i < panel.lines.size(); ++i) {
      const PlotLine& line = panel.lines[i];
      const std::string name = fmt::format("panel{}_{}", number, i);
      blocks += plot_data_block(name, line.curve);
      // Labels are too long for a terminal's key.
      const std::string run = picture.several() ? fmt::format("run {}", line.run + 1) : "";
      const std::string title =
          panel.result == "learning rate"
              ? run
              : run + (run.empty() ? "" : " ") + (line.validation ? "validation" : "training");
      plot += fmt::format("{} ${} using 1:2 with points pt '{}' lc rgb '{}' title {}",
                          plot.empty() ? "plot" : ",\\\n    ", name, kMarks[i % kMarks.size()],
                          kColours[(picture.several() ? line.run : i) % kColours.size()], plot_quoted(title));
    }
    if (number > 0) text += "print ''\n";  // a picture of characters ends without a new line
    text += "set title " + plot_quoted(panel.result) + "\n" +
            value_axis(panel, picture.logarithmic && number < picture.panels.size()) + blocks + plot + "\n";
  }
  return text;
}

std::vector<std::string> chosen_results(const std::vector<PlotRun>& runs, const PlotOptions& options) {
  const std::vector<std::string> known = plot_results(runs);
  if (known.empty()) throw InputError("there is no finished epoch to draw yet");
  if (options.results.empty()) return known;
  std::vector<std::string> chosen;
  for (const std::string& asked : options.results) {
    const std::string name = asked.starts_with("val_") ? asked.substr(4) : asked;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string list;
      for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
      const std::string near = nearest(name, known);
      throw InputError("--metric=" + asked + ": no run has it; the results are: " + list +
                       (near.empty() ? "" : "; did you mean " + near + "?"));
    }
    if (std::find(chosen.begin(), chosen.end(), name) == chosen.end()) chosen.push_back(name);
  }
  return chosen;
}

}  // namespace

PlotFormat plot_format(const std::string& path) {
  if (path.ends_with(".png")) return PlotFormat::kPng;
  if (path.ends_with(".svg")) return PlotFormat::kSvg;
  if (path.ends_with(".pdf")) return PlotFormat::kPdf;
  if (path.ends_with(".txt")) return PlotFormat::kText;
  throw InputError("\"" + path + "\" must end in .png, .svg, .pdf or .txt, which says how to draw");
}

void check_plot_output(const std::string& path, const std::vector<std::string>& inputs) {
  (void)plot_format(path);
  io::OutputGuard guard;
  for (const std::string& input : inputs) guard.add_input(input, "CHECKPOINT");
  guard.add_output(path, "--output", is_picture);
}

std::string plot_script(const std::vector<PlotRun>& runs, const PlotOptions& options) {
  Picture picture{runs, {}, learning_rate_panel(runs)};
  picture.logarithmic = options.logarithmic;
  for (const std::string& result : chosen_results(runs, options)) {
    PlotPanel panel = plot_panel(runs, result, options.smooth, options.logarithmic);
    if (panel.lines.empty()) {  // all NaN, or --log of what is never positive
      if (options.results.empty()) continue;
      throw InputError("\"" + result + "\" has no finite" + (options.logarithmic ? ", positive" : "") +
                       " value to draw");
    }
    for (const PlotLine& line : panel.lines) picture.any_validation |= line.validation;
    picture.panels.push_back(std::move(panel));
  }
  if (picture.panels.empty())
    throw InputError(std::string("no result has a finite") + (options.logarithmic ? ", positive" : "") +
                     " value to draw");
  return options.format == PlotFormat::kText ? text_script(picture, options)
                                             : graphic_script(picture, options);
}

}  // namespace nntrain::train
