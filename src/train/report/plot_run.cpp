#include "train/report/plot_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "core/call.h"
#include "core/error.h"

namespace nntrain::train {

namespace {

constexpr std::size_t kLongestLabel = 70;
using Values = std::vector<std::string>;

const std::vector<double>* column_of(const checkpoint::History& history, const std::string& name) {
  for (const auto& [known, column] : history.columns) {
    if (known == name) return &column;
  }
  return nullptr;
}

std::string stem(const std::string& path) { return std::filesystem::path(path).stem().string(); }

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// What a checkpoint's INI text sets, key by key; it is our own writing (Configuration::to_ini).
std::map<std::string, Values> settings_of(const std::string& ini) {
  std::map<std::string, Values> settings;
  std::istringstream lines(ini);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1) + ".";
    } else if (const std::size_t equals = line.find('='); equals != std::string::npos) {
      settings[section + trimmed(line.substr(0, equals))].push_back(trimmed(line.substr(equals + 1)));
    }
  }
  return settings;
}

/// Where a run writes and what it prints is not what it is.
bool is_housekeeping(const std::string& key) {
  static const std::set<std::string> others = {"run.log",         "run.profile",       "run.plot",
                                               "run.max_time",    "run.stall_timeout", "fit.verbose",
                                               "data.class_names"};
  return key.starts_with("checkpoint.") || others.count(key) != 0;
}

std::string value_text(const Json& value) {
  return value.is_number_float() ? fmt::format("{:g}", value.get<double>()) : format_call(value);
}

/// Arguments of a call as text, by name or place; nothing when `text` is none.
std::map<std::string, std::string> arguments_of(const std::string& text, std::string& name) {
  std::map<std::string, std::string> arguments;
  try {
    const Json call = parse_call(text);
    if (call.is_string()) name = call.get<std::string>();
    if (!call.is_object() || !call.contains("class_name")) return arguments;
    name = call["class_name"].get<std::string>();
    int place = 0;
    const Json by_place = call.value("args", Json::array()), by_name = call.value("config", Json::object());
    for (const Json& value : by_place) arguments["#" + std::to_string(place++)] = value_text(value);
    for (const auto& [key, value] : by_name.items()) arguments[key] = value_text(value);
  } catch (const InputError&) {
    name.clear();
  }
  return arguments;
}

/// Calls of one name that differ in arguments: only those of `mine` that differ, else "".
std::string differing_arguments(const std::string& mine, const Values& all) {
  std::string my_name;
  const auto my_arguments = arguments_of(mine, my_name);
  std::set<std::string> differing;
  for (const std::string& other : all) {
    std::string name;
    const auto arguments = arguments_of(other, name);
    if (name != my_name || name.empty()) return "";
    for (const auto& [key, value] : my_arguments) {
      const auto found = arguments.find(key);
      if (found == arguments.end() || found->second != value) differing.insert(key);
    }
    for (const auto& [key, value] : arguments) {
      if (my_arguments.count(key) == 0) differing.insert(key);
    }
  }
  std::string text;
  for (const std::string& key : differing) {
    if (key.starts_with('#')) return "";  // by place: the whole call is clearer
    const auto found = my_arguments.find(key);
    text +=
        (text.empty() ? "" : ", ") + key + " = " + (found == my_arguments.end() ? "default" : found->second);
  }
  return text;
}

std::string joined(const Values& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text.empty() ? "default" : text;
}

/// "seed = 1", "learning_rate = 0.1", "layer 2: Dense(100)".
std::string difference(const std::string& key, const std::vector<Values>& all, std::size_t mine) {
  const std::string word = key.substr(key.find('.') + 1);
  const Values& values = all[mine];
  const bool same_number = std::all_of(all.begin(), all.end(), [&](const Values& other) {
    return other.size() == values.size() && !other.empty();
  });
  if (!same_number) return word + (values.size() > 1 ? "s: " : " = ") + joined(values);
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Values column;
    for (const Values& other : all) column.push_back(other[i]);
    if (std::all_of(column.begin(), column.end(), [&](const std::string& one) { return one == values[i]; }))
      continue;
    const std::string arguments = differing_arguments(values[i], column);
    const std::string place = values.size() > 1 ? fmt::format("{} {}: ", word, i + 1) : "";
    text += (text.empty() ? "" : ", ") + place;
    text += !arguments.empty() ? arguments : place.empty() ? word + " = " + values[i] : values[i];
  }
  return text;
}

std::string shortened(const std::string& text) {
  if (text.size() <= kLongestLabel) return text;
  std::size_t end = kLongestLabel;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // whole characters
  return text.substr(0, end) + "...";
}

}  // namespace

std::vector<std::string> plot_labels(const std::vector<PlotSource>& sources) {
  std::vector<std::map<std::string, Values>> settings;
  std::set<std::string> keys;
  for (const PlotSource& source : sources) {
    settings.push_back(settings_of(source.config));
    for (const auto& [key, values] : settings.back()) keys.insert(key);
  }
  std::vector<std::string> labels(sources.size());
  for (const std::string& key : keys) {
    if (is_housekeeping(key)) continue;
    std::vector<Values> all;
    for (auto& one : settings) all.push_back(one[key]);
    if (std::all_of(all.begin(), all.end(), [&](const Values& one) { return one == all.front(); })) continue;
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] += (labels[i].empty() ? "" : ", ") + difference(key, all, i);
  }
  // Runs of different kinds differ in everything: then their files' names come first.
  const bool long_ones = std::any_of(labels.begin(), labels.end(),
                                     [](const std::string& label) { return label.size() > kLongestLabel; });
  for (std::size_t i = 0; long_ones && i < labels.size(); ++i)
    labels[i] = stem(sources[i].path) + ": " + labels[i];
  for (std::string& label : labels) label = shortened(label);
  const std::vector<std::string> alone = labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) {
      labels[i] = stem(sources[i].path);
    } else if (!long_ones && std::count(alone.begin(), alone.end(), alone[i]) > 1) {
      labels[i] = stem(sources[i].path) + ": " + labels[i];
    }
  }
  const std::vector<std::string> named = labels;  // files of one name in several folders
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::count(named.begin(), named.end(), named[i]) > 1) labels[i] = sources[i].path;
  }
  return labels;
}

PlotCurve plot_curve(const checkpoint::History& history, const std::string& name, double shift) {
  PlotCurve curve;
  const std::vector<double>* values = column_of(history, name);
  const std::vector<double>* epochs = column_of(history, "epoch");
  if (values == nullptr) return curve;
  for (std::size_t i = 0; i < values->size(); ++i) {
    const double epoch = epochs != nullptr && i < epochs->size() ? (*epochs)[i] : static_cast<double>(i + 1);
    if (std::isfinite((*values)[i]) && std::isfinite(epoch)) curve.push_back({epoch + shift, (*values)[i]});
  }
  return curve;
}

PlotCurve smoothed(const PlotCurve& curve, int width) {
  PlotCurve result = curve;
  const auto size = static_cast<std::ptrdiff_t>(curve.size());
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, i - (width - 1) / 2);
    const std::ptrdiff_t end = std::min<std::ptrdiff_t>(size, i + width / 2 + 1);
    double sum = 0;
    for (std::ptrdiff_t k = begin; k < end; ++k) sum += curve[static_cast<std::size_t>(k)].value;
    result[static_cast<std::size_t>(i)].value = sum / static_cast<double>(end - begin);
  }
  return result;
}

std::string judged_by(const checkpoint::History& history) {
  return plot_curve(history, "val_loss", 0).empty() ? "loss" : "val_loss";
}

std::optional<PlotPoint> best_epoch(const checkpoint::History& history) {
  const PlotCurve curve = plot_curve(history, judged_by(history), 0);
  if (curve.empty()) return std::nullopt;
  return *std::min_element(curve.begin(), curve.end(),
                           [](const PlotPoint& a, const PlotPoint& b) { return a.value < b.value; });
}

std::vector<std::string> plot_results(const std::vector<PlotRun>& runs) {
  std::vector<std::string> names;
  for (const PlotRun& run : runs) {
    for (const auto& [column, values] : run.history.columns) {
      const std::string name = column.starts_with("val_") ? column.substr(4) : column;
      if (name == "epoch" || name == "seconds" || name == "learning_rate") continue;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return name == "loss"; });
  return names;
}

}  // namespace nntrain::train
