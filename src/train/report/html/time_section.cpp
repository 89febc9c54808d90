// Where the time went, epoch by epoch: stacked bars, their sums, and who waited for whom.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/report/html/chart.h"
#include "train/report/html/markup.h"
#include "train/report/html/pages.h"
#include "train/report/progress.h"

namespace nntrain::train::html {

namespace {

constexpr double kWidth = 480, kHeight = 300;
constexpr double kLeft = 58, kRight = 20, kTop = 12, kBottom = 42;
constexpr std::size_t kMostBars = 60, kMostRanks = 32;
constexpr double kClearlyLess = 0.8, kMuchWaiting = 0.25;

/// Some epochs, and the seconds of one of them on average.
struct Bar {
  std::int64_t first = 0, epochs = 0;
  TimeRow seconds{};
  double height() const {
    double sum = 0;
    for (const double part : seconds) sum += part;
    return sum;
  }
};

std::vector<Bar> bars_of(const TimeTable& times) {
  const std::size_t together = (times.rows.size() + kMostBars - 1) / kMostBars;
  std::vector<Bar> bars;
  for (std::size_t row = 0; row < times.rows.size(); row += together) {
    Bar bar;
    bar.first = times.first_epoch + static_cast<std::int64_t>(row) * times.epochs_per_row;
    const std::size_t end = std::min(row + together, times.rows.size());
    bar.epochs = std::min(static_cast<std::int64_t>(end) * times.epochs_per_row, times.epochs) -
                 static_cast<std::int64_t>(row) * times.epochs_per_row;
    for (std::size_t i = row; i < end; ++i)
      for (std::size_t a = 0; a < bar.seconds.size(); ++a)
        bar.seconds[a] += times.rows[i][a] / static_cast<double>(bar.epochs);
    bars.push_back(bar);
  }
  return bars;
}

std::string epochs_text(const Bar& bar) {
  return bar.epochs == 1 ? fmt::format("epoch {}", bar.first + 1)
                         : fmt::format("epochs {} to {}, each", bar.first + 1, bar.first + bar.epochs);
}

std::string axes(double highest, double first, double last) {
  std::string svg;
  const double bottom = kHeight - kBottom;
  for (const double value : round_values(0, highest)) {
    const double at = bottom - value / highest * (bottom - kTop);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" />"
        "<text class=\"soft\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n",
        kLeft, kWidth - kRight, at, at, kLeft - 6, at + 4, value);
  }
  for (const double value : round_values(first, last)) {
    if (value != std::floor(value)) continue;
    svg +=
        fmt::format("<text class=\"soft\" x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:.0f}</text>\n",
                    kLeft + (value - first) / (last - first) * (kWidth - kLeft - kRight), bottom + 18, value);
  }
  return svg +
         fmt::format("<text class=\"soft\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">epoch</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6);
}

std::string stack(const Bar& bar, double highest, double left, double right) {
  const std::vector<std::string> names = TimeTable::names();
  const double bottom = kHeight - kBottom, gap = std::min(1.0, (right - left) / 8);
  double top = bottom;
  std::string title = epochs_text(bar) + fmt::format(": {:.3g} s", bar.height()), parts;
  for (std::size_t a = 0; a < bar.seconds.size(); ++a) {
    const double height = bar.seconds[a] / highest * (bottom - kTop);
    if (height < 0.05) continue;
    title += fmt::format(", {} {:.3g} s", names[a], bar.seconds[a]);
    top -= height;
    parts +=
        fmt::format("<rect class=\"t{}\" x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\" />", a,
                    left + gap, top, right - left - 2 * gap, height);
  }
  return element("g", element("title", escaped(title)) + parts) + "\n";
}

std::string legend(const TimeRow& total) {
  const std::vector<std::string> names = TimeTable::names();
  std::string text = element("b", "seconds of an epoch");
  for (std::size_t a = 0; a < names.size(); ++a) {
    if (total[a] <= 0) continue;
    text += fmt::format(
        " <span class=\"key\"><svg viewBox=\"0 0 12 12\" style=\"width:12px;display:inline\" "
        "aria-hidden=\"true\"><rect "
        "class=\"t{}\" x=\"0\" y=\"0\" width=\"12\" height=\"12\" /></svg> {}</span>",
        a, escaped(names[a]));
  }
  return element("figcaption", text);
}

std::string sums(const TimeRow& total, std::int64_t epochs) {
  const std::vector<std::string> names = TimeTable::names();
  double all = 0;
  for (const double seconds : total) all += seconds;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t a = 0; a < names.size(); ++a)
    rows.push_back({names[a], fmt::format("{:.3g}", total[a]),
                    fmt::format("{:.3g}", total[a] / static_cast<double>(epochs)),
                    fmt::format("{:.1f}", 100 * total[a] / std::max(all, 1e-9))});
  rows.push_back(
      {"all", fmt::format("{:.4g}", all), fmt::format("{:.3g}", all / static_cast<double>(epochs)), "100.0"});
  return table({"activity", ">seconds", ">an epoch", ">%"}, rows);
}

/// Who waits clearly less than the others is who they wait for.
std::string waiting_sentence(const TimeTable& times) {
  const auto [least, most] = std::minmax_element(times.waiting.begin(), times.waiting.end());
  std::string text =
      fmt::format("Seconds that each of the {} ranks waited for others. ", times.waiting.size());
  text += *least < kClearlyLess * *most
              ? fmt::format("Rank {} waited least: the others wait for it.", least - times.waiting.begin())
              : "They waited about as long as each other: no single one of them holds the others up.";
  double waited = 0, all = 0;
  for (const TimeRow& row : times.rows) {
    waited += row[static_cast<std::size_t>(Activity::kWaiting)];
    for (const double seconds : row) all += seconds;
  }
  if (waited > kMuchWaiting * all)
    text += fmt::format(
        " Waiting took {:.0f} % of the time: do the ranks share their cores with other programs, or has each "
        "too few rows of a mini-batch?",
        100 * waited / all);
  return text;
}

std::string waiting_ranks(const TimeTable& times) {
  if (times.waiting.size() < 2) return "";
  const double most = std::max(*std::max_element(times.waiting.begin(), times.waiting.end()), 1e-9);
  std::string text = element("p", escaped(waiting_sentence(times)));
  std::string rows;
  for (std::size_t rank = 0; rank < std::min(times.waiting.size(), kMostRanks); ++rank) {
    const std::string bar = fmt::format(
        "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" style=\"height:0.8rem;min-width:5rem\" "
        "aria-hidden=\"true\"><rect class=\"t8\" x=\"0\" y=\"0\" height=\"10\" width=\"{:.2f}\" /></svg>",
        100 * times.waiting[rank] / most);
    rows += element("tr", element("td", fmt::format("rank {}", rank)) +
                              element("td", fmt::format("{:.4g}", times.waiting[rank]), "class=\"n\"") +
                              element("td", bar, "style=\"width:50%\"")) +
            "\n";
  }
  text += "\n" +
          element("div", element("table", element("tbody", rows), "style=\"width:100%\""), "class=\"wide\"") +
          "\n";
  if (times.waiting.size() > kMostRanks)
    text +=
        element("p", escaped(fmt::format("The first {} are shown.", kMostRanks)), "class=\"soft\"") + "\n";
  return element("h3", "Waiting") + "\n" + text;
}

}  // namespace

std::string time_section(const TimeTable& times) {
  const std::vector<Bar> bars = bars_of(times);
  double highest = 0;
  for (const Bar& bar : bars) highest = std::max(highest, bar.height());
  if (bars.empty() || highest <= 0) return "";
  TimeRow total{};
  for (const TimeRow& row : times.rows)
    for (std::size_t a = 0; a < row.size(); ++a) total[a] += row[a];
  const auto first = static_cast<double>(times.first_epoch);
  const auto last = static_cast<double>(times.first_epoch + times.epochs);
  const auto place = [&](double epoch) {
    return kLeft + (epoch - first) / (last - first) * (kWidth - kLeft - kRight);
  };
  std::string svg = axes(highest, first, last);
  for (const Bar& bar : bars) {
    const auto begin = static_cast<double>(bar.first);
    svg += stack(bar, highest, place(begin), place(begin + static_cast<double>(bar.epochs)));
  }
  const std::string figure =
      element("figure",
              legend(total) + "\n" +
                  element("svg", "\n" + svg,
                          fmt::format("viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"seconds of an "
                                      "epoch by activity\"",
                                      kWidth, kHeight)));
  return element(
             "p",
             "Means over ranks, validation and checkpoints included; an epoch's bar is its wall time. The "
             "start of the program is not in them.",
             "class=\"soft\"") +
         "\n" + element("div", figure + sums(total, times.epochs), "class=\"charts\"") + "\n" +
         waiting_ranks(times);
}

}  // namespace nntrain::train::html
