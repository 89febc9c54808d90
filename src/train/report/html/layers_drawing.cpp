#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/report/html/markup.h"
#include "train/report/html/pages.h"
#include "train/report/progress.h"

namespace nntrain::train::html {

namespace {

constexpr double kRow = 58, kBox = 34, kCenter = 75, kText = 162;
constexpr std::size_t kLongestText = 38;
constexpr std::size_t kMostBoxes = 100;  ///< of more layers the first and the last are drawn

std::string shortened(std::string text) {
  if (text.size() <= kLongestText) return text;
  std::size_t end = kLongestText - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;  // not inside a character
  return text.substr(0, end) + "\xE2\x80\xA6";
}

/// Half the width of a box on the drawing: by the logarithm of its size.
double half_width(std::int64_t size, std::int64_t largest) {
  const double whole = std::log2(static_cast<double>(std::max<std::int64_t>(2, largest)) + 1);
  return 12 + 56 * std::log2(static_cast<double>(std::max<std::int64_t>(1, size)) + 1) / whole;
}

std::string box(double top, double half, const std::string& headline, const std::string& below,
                const std::string& color) {
  return fmt::format(
      "<g><title>{}</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
      "rx=\"4\" "
      "/><text x=\"{}\" y=\"{:.1f}\" font-weight=\"600\">{}</text>"
      "<text class=\"soft\" x=\"{}\" y=\"{:.1f}\">{}</text></g>\n",
      escaped(headline), color, kCenter - half, top, 2 * half, kBox, kText, top + 14,
      escaped(shortened(headline)), kText, top + 31, escaped(shortened(below)));
}

}  // namespace

std::string layers_drawing(const RunReport& report) {
  std::int64_t largest = report.input_width;
  for (const ReportedLayer& layer : report.layers) largest = std::max(largest, layer.width);
  double top = 4, half = half_width(report.input_width, largest);
  std::string boxes = box(top, half, "Input", report.input_shape, "f2"), flows;
  const std::size_t count = report.layers.size(), shown = count > kMostBoxes ? kMostBoxes / 2 : count;
  for (std::size_t i = 0; i < count; ++i) {
    if (i == shown && i < count - shown) {
      const std::size_t hidden = count - 2 * shown;
      top += kRow;
      boxes += box(top, half, fmt::format("{} more layers", hidden), "", "flow");
      i += hidden;
    }
    const ReportedLayer& layer = report.layers[i];
    const double next = half_width(layer.width, largest);
    flows += fmt::format(
        "<polygon class=\"flow\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\" />\n",
        kCenter - half, top + kBox, kCenter + half, top + kBox, kCenter + next, top + kRow, kCenter - next,
        top + kRow);
    top += kRow;
    half = next;
    std::string headline = layer.class_name + (layer.details.empty() ? "" : " \xC2\xB7 " + layer.details);
    std::string below = layer.output_shape;
    if (layer.parameters > 0) below += " \xC2\xB7 " + with_commas(layer.parameters) + " parameters";
    boxes += box(top, half, headline, below, layer.parameters > 0 ? "f0" : "f3");
  }
  return element("figure",
                 element("svg", "\n" + flows + boxes,
                         fmt::format("viewBox=\"0 0 440 {:.0f}\" role=\"img\" aria-label=\"layers\" "
                                     "style=\"max-width:34rem\"",
                                     top + kBox + 4))) +
         "\n";
}

}  // namespace nntrain::train::html
