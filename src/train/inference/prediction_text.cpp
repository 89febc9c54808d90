#include "train/inference/prediction_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/digits.h"

namespace nntrain::train {

namespace {

std::string class_name(const Predictions& predictions, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  return at < predictions.class_names.size() ? predictions.class_names[at] : std::to_string(index);
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + quoted(name);
  return text;
}

/// A number as predict writes them: the text of nine digits of a float, as long as numbers are that nobody
/// typed. A truth of more digits than a float has is none.
struct NumberLook {
  bool ours = false, is_long = false;
};
NumberLook look_of(std::string_view cell) {
  float value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return {error == std::errc() && end == cell.data() + cell.size() && fmt::format("{:.9g}", value) == cell,
          significant_digits(cell) > kLongDigits};
}

bool numbers_look_ours(std::string_view rows, std::size_t ids) {
  std::int64_t cells = 0, long_ones = 0;
  while (!rows.empty()) {
    const std::size_t end = rows.find('\n');
    if (end == std::string_view::npos && cells > 0) break;  // cut
    std::string_view row = rows.substr(0, end);
    rows.remove_prefix(std::min(row.size() + 1, rows.size()));
    if (row.find('"') != std::string_view::npos) continue;  // an id with a comma
    for (std::size_t column = 0;; ++column) {
      const std::size_t comma = row.find(',');
      if (column >= ids) {
        const NumberLook look = look_of(row.substr(0, comma));
        if (!look.ours) return false;
        ++cells;
        long_ones += look.is_long;
      }
      if (comma == std::string_view::npos) break;
      row.remove_prefix(comma + 1);
    }
  }
  return cells > 0 && long_ones * 4 >= cells;
}

}  // namespace

bool decides(const Predictions& predictions) {
  return predictions.decision != Decision::kNone &&
         predictions.output_shape.size() == predictions.output_shape.last();
}

std::vector<std::string> output_names(const Predictions& predictions) {
  const auto width = static_cast<std::size_t>(predictions.output_shape.size());
  const bool classes = decides(predictions);
  const std::vector<std::string>& known = predictions.class_names;
  const std::vector<std::string>& targets = predictions.target_names;
  std::vector<std::string> names(width);
  for (std::size_t i = 0; i < width; ++i) {
    if (classes && width == 1) {  // one output of a classifier tells the second class from the first
      names[i] = known.size() > 1                                 ? known[1]
                 : predictions.decision == Decision::kProbability ? "probability_of_1"
                                                                  : "score_of_1";
    } else if (width > 1 && i < known.size()) {
      names[i] = known[i];
    } else if (classes) {
      names[i] = fmt::format("class_{}", i);
    } else if (targets.size() == width && !targets[i].empty()) {
      names[i] = targets[i];
    } else {
      names[i] = fmt::format("output_{}", i);
    }
  }
  return names;
}

std::string csv_header(const Predictions& predictions) {
  std::vector<std::string> names;
  for (const data::TextColumn& id : predictions.ids) names.push_back(id.name);
  if (decides(predictions)) names.insert(names.end(), {"class", "class_name"});
  const std::vector<std::string> outputs = output_names(predictions);
  names.insert(names.end(), outputs.begin(), outputs.end());
  return joined(names) + "\n";
}

void append_csv(const Predictions& predictions, std::int64_t first, std::int64_t count, std::string& text) {
  const std::int64_t width = predictions.output_shape.size();
  const std::int64_t classes = predictions.output_shape.last();
  const bool with_class = decides(predictions);
  for (std::int64_t row = first; row < first + count; ++row) {
    const float* outputs = predictions.values.data() + row * width;
    for (const data::TextColumn& id : predictions.ids)
      text += quoted(id.cells[static_cast<std::size_t>(row)]) + ",";
    if (with_class) {
      const std::int64_t decided = decide(predictions.decision, outputs, classes);
      text += fmt::format("{},{},", decided, quoted(class_name(predictions, decided)));
    }
    for (std::int64_t i = 0; i < width; ++i) text += fmt::format("{}{:.9g}", i == 0 ? "" : ",", outputs[i]);
    text += '\n';
  }
}

bool is_csv_of_predictions(std::string_view start, const PredictionNames& names) {
  const std::size_t end = start.find_first_of("\r\n");
  std::string_view header = start.substr(0, end);
  const std::string ids = names.ids.empty() ? "" : joined(names.ids) + ",";
  const bool with_ids = !ids.empty() && header.starts_with(ids);
  if (with_ids) header.remove_prefix(ids.size());
  // With the ids of any model before it: this pair of names is nobody else's.
  const bool classes = ("," + std::string(header)).find(",class,class_name,") != std::string::npos;
  if (classes || header == "output_0" || header.starts_with("output_0,")) return true;
  const auto is = [&](const std::vector<std::string>& words) {
    return !words.empty() && header == joined(words);
  };
  if (end == std::string_view::npos || (!is(names.classes) && !is(names.targets))) return false;
  const std::string_view rows = start.substr(std::min(end + 1, start.size()));
  return numbers_look_ours(rows, with_ids ? names.ids.size() : 0);
}

}  // namespace nntrain::train
