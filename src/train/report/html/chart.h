#pragma once
// Line charts and scatter plots as inline SVG, drawn for screens of any width. Pure.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nntrain::train::html {

struct Series {
  std::string name;
  int color = 0;  ///< 0 .. 3
  bool dashed = false;
  bool dots = false;                              ///< points instead of a line
  std::vector<std::pair<double, double>> points;  ///< what is not finite is left out
};

struct Chart {
  std::string title, x_label;
  std::vector<Series> series;
  std::optional<double> mark;  ///< a vertical line here
  std::string mark_label;
  /// The least ranges that the axes show.
  std::optional<std::pair<double, double>> x_range, y_range;
};

/// A figure; "" when no series has a point. Long series are thinned to what a screen can show.
std::string chart(const Chart& chart);

/// Three to seven round values in [low, high].
std::vector<double> round_values(double low, double high);

}  // namespace nntrain::train::html
