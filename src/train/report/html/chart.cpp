#include "train/report/html/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "train/report/html/markup.h"

namespace nntrain::train::html {

namespace {

constexpr double kWidth = 480, kHeight = 300;
constexpr double kLeft = 58, kRight = 20, kTop = 22, kBottom = 42;
constexpr std::size_t kMostPoints = 1000;

/// One axis: from values to places on the drawing.
struct Axis {
  double low = 0, high = 1, begin = 0, end = 1;
  double place(double value) const { return begin + (value - low) / (high - low) * (end - begin); }
};

void widen(std::pair<double, double>& range, double value) {
  range.first = std::min(range.first, value);
  range.second = std::max(range.second, value);
}

bool shown(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

Axis axis(std::pair<double, double> range, double begin, double end) {
  const double span = range.second - range.first;
  const double margin = span > 0 ? 0 : std::max(std::abs(range.first) * 0.5, 1e-3);
  return {range.first - margin, range.second + margin, begin, end};
}

std::string grid(const Axis& x, const Axis& y, const std::string& x_label) {
  std::string svg;
  for (const double value : round_values(y.low, y.high)) {
    const double at = y.place(value);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" />"
        "<text class=\"soft\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n",
        x.begin, x.end, at, at, x.begin - 6, at + 4, value);
  }
  for (const double value : round_values(x.low, x.high)) {
    svg +=
        fmt::format("<text class=\"soft\" x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:.4g}</text>\n",
                    x.place(value), kHeight - kBottom + 18, value);
  }
  return svg +
         fmt::format("<text class=\"soft\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n",
                     (x.begin + x.end) / 2, kHeight - 6, escaped(x_label));
}

std::string drawn(const Series& series, const Axis& x, const Axis& y) {
  std::vector<std::pair<double, double>> points;
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(points), shown);
  const std::size_t step = std::max<std::size_t>(1, (points.size() + kMostPoints - 1) / kMostPoints);
  std::string path;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i % step != 0 && i + 1 != points.size()) continue;
    const double px = x.place(points[i].first), py = y.place(points[i].second);
    if (series.dots || points.size() == 1) {
      path +=
          fmt::format("<circle class=\"f{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill-opacity=\"0.6\" />",
                      series.color, px, py, series.dots ? 2.5 : 4.0);
    } else {
      path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", px, py);
    }
  }
  if (series.dots || points.size() == 1) return path + "\n";
  return fmt::format("<polyline class=\"s{}{}\" points=\"{}\" />\n", series.color,
                     series.dashed ? " dash" : "", path);
}

std::string legend(const Chart& chart) {
  std::string text = element("b", escaped(chart.title));
  for (const Series& series : chart.series) {
    if (series.name.empty() || series.points.empty()) continue;
    text += fmt::format(
        " <span class=\"key\"><svg viewBox=\"0 0 22 10\" style=\"width:22px;display:inline\" "
        "aria-hidden=\"true\"><line "
        "class=\"s{}{}\" "
        "x1=\"0\" x2=\"22\" y1=\"5\" y2=\"5\" stroke-width=\"3\" /></svg> {}</span>",
        series.color, series.dashed ? " dash" : "", escaped(series.name));
  }
  return element("figcaption", text);
}

}  // namespace

std::vector<double> round_values(double low, double high) {
  const double rough = (high - low) / 5;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double unit = rough / power;
  const double step = power * (unit <= 1 ? 1 : unit <= 2 ? 2 : unit <= 5 ? 5 : 10);
  std::vector<double> values;
  if (!(step > 0) || !std::isfinite(step)) return values;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && values.size() < 12; ++k)
    values.push_back(k * step + 0.0);  // no -0
  return values;
}

std::string chart(const Chart& chart) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::pair<double, double> xs = chart.x_range.value_or(std::pair(kInf, -kInf));
  std::pair<double, double> ys = chart.y_range.value_or(std::pair(kInf, -kInf));
  bool any = false;
  for (const Series& series : chart.series) {
    for (const auto& point : series.points) {
      if (!shown(point)) continue;
      any = true;
      widen(xs, point.first);
      widen(ys, point.second);
    }
  }
  if (!any) return "";
  const Axis x = axis(xs, kLeft, kWidth - kRight);
  const Axis y = axis(ys, kHeight - kBottom, kTop);
  std::string svg = grid(x, y, chart.x_label);
  if (chart.mark) {
    const double at = x.place(*chart.mark);
    const bool left = at > (x.begin + x.end) / 2;
    svg += fmt::format(
        "<line class=\"s2 dash\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.0f}\" y2=\"{:.0f}\" />"
        "<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n",
        at, at, kTop, kHeight - kBottom, at + (left ? 6 : -6), kTop - 7, left ? "end" : "start",
        escaped(chart.mark_label));
  }
  for (const Series& series : chart.series) svg += drawn(series, x, y);
  return element("figure",
                 legend(chart) + "\n" +
                     element("svg", "\n" + svg,
                             fmt::format("viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\"",
                                         kWidth, kHeight, escaped(chart.title)))) +
         "\n";
}

}  // namespace nntrain::train::html
