#include "train/data/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "core/error.h"
#include "core/registry.h"
#include "train/data/one_hot.h"

namespace nntrain::train {

namespace {

std::vector<float> to_float(const data::ArrayInfo& info, std::span<const std::byte> raw) {
  const auto count = static_cast<std::size_t>(info.rows * info.sample.size());
  std::vector<float> values(count);
  if (info.element == data::Element::kFloat32) {
    std::memcpy(values.data(), raw.data(), count * sizeof(float));
  } else {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(raw[i]);
  }
  return values;
}

std::string row_of(const TargetRules& rules, std::int64_t row) {
  return rules.where + ", row " + std::to_string(row);
}

/// The index of the positive class: its name among class_names, or a number.
std::int64_t positive_index(const TargetRules& rules, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == rules.positive_class) return static_cast<std::int64_t>(i);
  }
  char* end = nullptr;
  const long long index = std::strtoll(rules.positive_class.c_str(), &end, 10);
  if (*end == '\0' && !rules.positive_class.empty()) return index;
  const std::string near = nearest(rules.positive_class, names);
  throw InputError("data.positive_class = " + rules.positive_class + " is none of the classes of " +
                   rules.where + (near.empty() ? "" : "; did you mean " + near + "?"));
}

std::string number_text(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15
             ? std::to_string(static_cast<std::int64_t>(value))
             : fmt::format("{:g}", value);
}

std::string list_of(const std::vector<double>& values) {
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 12); ++i)
    list += (i == 0 ? "" : ", ") + number_text(values[i]);
  return values.size() > 12 ? list + ", ..." : list;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 12); ++i)
    list += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 12 ? list + ", ..." : list;
}

/// "Setosa" and "setosa" are hardly meant as two classes: says so; empty when no two names are that near.
std::string near_names(const std::vector<std::string>& names) {
  std::map<std::string, std::string> seen;
  for (const std::string& name : names) {
    std::string plain;
    for (const char c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80)
        plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    const auto [other, is_new] = seen.emplace(plain, name);
    if (!is_new && !plain.empty())
      return "\"" + other->second + "\" and \"" + name + "\" are two classes: is that meant?";
  }
  return "";
}

/// `names`: of the file's classes, when they are texts.
void check_labels(const std::vector<float>& labels, std::int64_t per_row, std::int64_t classes,
                  const std::vector<std::string>& names, const TargetRules& rules) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const float label = labels[i];
    if (label == std::floor(label) && label >= 0 && label < static_cast<float>(classes)) continue;
    const std::string text = number_text(static_cast<double>(label));
    std::string cure = fmt::format("{} (data.class_names = 1, 2, .. names classes that are other numbers)",
                                   rules.after_training ? "the classes are those of the training"
                                                        : "check the targets or the units of the last layer");
    if (static_cast<std::size_t>(label) < names.size()) {
      cure = fmt::format("the file holds {} classes ({}); give the last layer {} units", names.size(),
                         list_of(names), names.size());
      if (const std::string near = near_names(names); !near.empty()) cure += "; " + near;
    }
    throw InputError(fmt::format("{}: label {}{} lies outside the classes [0, {}) of the model's output; {}",
                                 row_of(rules, static_cast<std::int64_t>(i) / per_row), text,
                                 static_cast<std::size_t>(label) < names.size()
                                     ? " (\"" + names[static_cast<std::size_t>(label)] + "\")"
                                     : "",
                                 classes, cure));
  }
}

/// The different values in ascending order, up to `most` of them.
std::vector<double> distinct_values(const std::vector<float>& values, std::size_t most) {
  std::set<double> distinct;
  for (const float value : values) {
    distinct.insert(static_cast<double>(value));
    if (distinct.size() > most) break;
  }
  return {distinct.begin(), distinct.end()};
}

/// Whole numbers that are not 0, 1, .. and of which there are as many as outputs: classes named after them.
std::vector<double> class_values(const std::vector<float>& labels, std::int64_t classes,
                                 const TargetRules& rules) {
  if (rules.label_values_known || rules.after_training) return rules.label_values;
  const std::vector<double> values = distinct_values(labels, static_cast<std::size_t>(classes));
  const bool whole = std::all_of(values.begin(), values.end(), [](double v) { return v == std::floor(v); });
  const bool inside = values.empty() || (values.front() >= 0 && values.back() < static_cast<double>(classes));
  if (inside || !whole || static_cast<std::int64_t>(values.size()) != classes) return {};
  return values;
}

/// Labels become their places among `values`.
void to_places(std::vector<float>& labels, std::int64_t per_row, const std::vector<double>& values,
               const TargetRules& rules) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto found = std::find(values.begin(), values.end(), static_cast<double>(labels[i]));
    if (found == values.end()) {
      throw InputError(row_of(rules, static_cast<std::int64_t>(i) / per_row) + ": label " +
                       number_text(static_cast<double>(labels[i])) + " is none of the classes " +
                       list_of(values));
    }
    labels[i] = static_cast<float>(found - values.begin());
  }
}

/// "classes of ..: setosa 50 (first in row 0), ..".
std::string class_table(const std::vector<float>& labels, std::int64_t per_row,
                        const std::vector<std::string>& names, const std::string& where) {
  std::vector<std::int64_t> counts(names.size(), 0), first(names.size(), -1);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    if (label >= names.size()) continue;
    if (counts[label]++ == 0) first[label] = static_cast<std::int64_t>(i) / per_row;
  }
  std::string text = fmt::format("{} classes of {}: ", names.size(), where);
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 20); ++i) {
    text += fmt::format("{}{} = {} ({} rows{})", i == 0 ? "" : ", ", i, names[i], counts[i],
                        first[i] < 0 ? "" : fmt::format(", first in row {}", first[i]));
  }
  return names.size() > 20 ? text + ", ..." : text;
}

/// Values that the loss can take, whatever their form.
void check_values(const std::vector<float>& values, std::int64_t per_row, const TargetRules& rules) {
  const nn::TargetMeaning meaning = rules.loss->target_meaning();
  const std::string cure =
      rules.output_shape.last() == 1
          ? "; data.positive_class = CLASS makes targets of 1 and 0 (one class against the rest)"
          : "; several outputs take class indices, or one column of 0 and 1 for each output";
  bool minus = false, zero = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    const std::string where = row_of(rules, static_cast<std::int64_t>(i) / per_row) + ": the target " +
                              number_text(static_cast<double>(value));
    const std::string loss = rules.wants_numbers.empty() ? "the loss" : rules.wants_numbers;
    const bool unit = value >= 0 && value <= 1;
    if (meaning == nn::TargetMeaning::kCounts && value < 0)
      throw InputError(where + " is negative, which has no meaning for " + loss);
    if (meaning == nn::TargetMeaning::kDistribution && !unit)
      throw InputError(where + " lies outside [0, 1]; " + loss + " compares shares");
    if ((meaning == nn::TargetMeaning::kLabels || meaning == nn::TargetMeaning::kClasses) && !unit) {
      throw InputError(
          where + " lies outside [0, 1], the targets of " + loss +
          (meaning == nn::TargetMeaning::kLabels ? cure : "; one-hot rows hold one 1 and else 0"));
    }
    if (meaning != nn::TargetMeaning::kSigns) continue;
    minus = minus || value == -1;
    zero = zero || value == 0;
    if ((value == -1 || value == 0 || value == 1) && !(minus && zero)) continue;
    throw InputError(
        where + (minus && zero ? " stands among both 0 and -1" : " is neither of 0 and 1, nor of -1 and 1") +
        ", the targets of " + loss + cure);
  }
}

/// One class against the rest: 1 and 0.
void make_positive(PreparedTargets& prepared, const TargetRules& rules) {
  const std::vector<std::string>& names =
      prepared.info.class_names.empty() ? rules.class_names : prepared.info.class_names;
  const auto positive = static_cast<float>(positive_index(rules, names));
  bool there = false;
  for (float& value : prepared.values) {
    there = there || value == positive;
    value = value == positive ? 1.0F : 0.0F;
  }
  if (!there && !rules.label_values_known && names.empty()) {
    throw InputError("data.positive_class = " + rules.positive_class + ": no row of " + rules.where +
                     " has this class");
  }
  prepared.info.class_names = {"not " + rules.positive_class, rules.positive_class};
}

/// As many names as the outputs can tell apart.
void check_names(const std::vector<std::string>& names, bool of_file, const TargetRules& rules) {
  const nn::TargetMeaning meaning = rules.loss->target_meaning();
  const std::int64_t units = rules.output_shape.last();
  const bool classes = meaning == nn::TargetMeaning::kClasses || meaning == nn::TargetMeaning::kLabels ||
                       meaning == nn::TargetMeaning::kSigns;
  const std::int64_t wanted = units == 1 && classes ? 2 : units;
  const auto count = static_cast<std::int64_t>(names.size());
  if (names.empty() || count == wanted || meaning == nn::TargetMeaning::kGroups) return;
  throw InputError(fmt::format(
      "{} {} {} classes ({}), the model's last layer has {} unit{}, which tell{} {} apart; {}{}",
      of_file ? rules.where : "data.class_names", of_file ? "holds" : "names", count, list_of(names), units,
      units == 1 ? "" : "s", units == 1 ? "s" : "", wanted,
      of_file && units == 1
          ? fmt::format(
                "data.positive_class = {} makes one against the rest, or give the last layer {} units",
                names[0], count)
      : of_file ? fmt::format("give it {} units, or list all classes in data.class_names", count)
                : "name each class once",
      of_file && !near_names(names).empty() ? "; " + near_names(names) : ""));
}

}  // namespace

PreparedTargets prepare_targets(const data::ArrayInfo& info, std::span<const std::byte> raw,
                                const TargetRules& rules) {
  PreparedTargets prepared{info, to_float(info, raw)};
  prepared.info.element = data::Element::kFloat32;
  std::vector<float>& values = prepared.values;
  Shape& sample = prepared.info.sample;
  if (sample.rank() == 0) sample = Shape{1};
  const bool text = !info.class_names.empty();
  const bool sets = text && info.table.is_object() && info.table.contains("separator");
  if (text && !sets) {
    prepared.info.notes.push_back(class_table(values, 1, info.class_names, rules.where));
    if (const std::string near = near_names(info.class_names); !near.empty())
      prepared.info.notes.push_back(rules.where + ": " + near);
  }
  if (!rules.positive_class.empty()) make_positive(prepared, rules);
  const std::int64_t classes = rules.output_shape.last();
  const std::int64_t positions = rules.output_shape.leading();
  const bool holds_indices = sample.size() == positions &&
                             (sample.last() != classes || classes == 1 || rules.output_shape.rank() > 1);
  const nn::TargetForm form = rules.loss->target_form(rules.output_shape);
  const bool by_index = holds_indices && classes > 1 && form != nn::TargetForm::kValues;
  bool one_hot_given = false;
  if (form == nn::TargetForm::kClassIndex && !holds_indices && sample == rules.output_shape && classes > 1) {
    check_values(values, sample.size(), rules);
    check_one_hot(values, classes, positions, rules);
    one_hot_given = true;
    values = arg_max(values, classes);
    std::vector<std::int64_t> extents = sample.extents();
    extents.back() = 1;
    sample = Shape(extents);
  }
  if (by_index && !text) {
    const std::vector<double> numbers = class_values(values, classes, rules);
    if (!numbers.empty()) {
      to_places(values, positions, numbers, rules);
      prepared.info.table["label_values"] = numbers;
      for (const double number : numbers) prepared.info.class_names.push_back(number_text(number));
      prepared.info.notes.push_back(class_table(values, positions, prepared.info.class_names, rules.where));
    }
  }
  if (form == nn::TargetForm::kClassIndex) {
    if (sample.size() == positions)
      check_labels(values, positions, classes, text ? info.class_names : std::vector<std::string>(), rules);
  } else if (form == nn::TargetForm::kOneHot && by_index) {
    check_labels(values, positions, classes, text ? info.class_names : std::vector<std::string>(), rules);
    values = one_hot(values, classes);
    sample = rules.output_shape;
  }
  if (rules.positive_class.empty()) {
    const bool own = rules.class_names.empty();
    check_names(own ? prepared.info.class_names : rules.class_names, own, rules);
    if (!own) prepared.info.class_names = rules.class_names;
  }
  if (form != nn::TargetForm::kClassIndex && !one_hot_given) check_values(values, sample.size(), rules);
  if (form == nn::TargetForm::kOneHot && !by_index && sample == rules.output_shape && classes > 1) {
    std::vector<std::string>& notes = prepared.info.notes;
    const std::string note = shares_note(values, classes, positions, rules);
    // The first note of a source says how it was read.
    if (!note.empty() && notes.empty()) notes.push_back(rules.where + ": a target for each class");
    if (!note.empty()) notes.push_back(note);
  }
  try {
    rules.loss->check_shapes(sample, rules.output_shape);
  } catch (const InputError& error) {
    const std::string loss =
        rules.loss->spec().is_object() ? " = " + rules.loss->spec()["class_name"].get<std::string>() : "";
    throw InputError((rules.loss_origin.empty() ? "compile.loss" : rules.loss_origin) + loss + ": " +
                     error.what() + " (targets: " + rules.where + "; output: the model's last layer)");
  }
  return prepared;
}

namespace {

/// The classes that may be listed, and where each is among the targets' values.
std::map<std::int64_t, std::int64_t> listed_classes(const data::ArrayInfo& info, const nn::Loss& loss,
                                                    std::int64_t outputs) {
  std::map<std::int64_t, std::int64_t> places;
  if (info.table.is_object() && info.table.contains("label_values")) {
    for (const Json& value : info.table["label_values"])
      places.emplace(static_cast<std::int64_t>(value.get<double>()),
                     static_cast<std::int64_t>(places.size()));
    return places;
  }
  if (loss.target_meaning() == nn::TargetMeaning::kSigns && outputs <= 2) places.emplace(-1, -1);
  for (std::int64_t i = 0; i < outputs; ++i) places.emplace(i, i);
  return places;
}

}  // namespace

std::vector<float> class_weights(const data::ArrayInfo& info, std::span<const float> targets,
                                 const std::map<std::int64_t, double>& weights, const nn::Loss& loss,
                                 std::int64_t outputs) {
  const bool any = loss.target_meaning() == nn::TargetMeaning::kNumbers ||
                   loss.target_meaning() == nn::TargetMeaning::kGroups ||
                   loss.target_meaning() == nn::TargetMeaning::kCounts;
  const std::map<std::int64_t, std::int64_t> places = listed_classes(info, loss, outputs == 1 ? 2 : outputs);
  std::map<std::int64_t, double> by_place;
  for (const auto& [label, weight] : weights) {
    const auto found = places.find(label);
    if (found == places.end() && !any) {
      std::vector<double> known;
      for (const auto& [one, place] : places) known.push_back(static_cast<double>(one));
      throw InputError("fit.class_weight: there is no class " + std::to_string(label) + "; the classes are " +
                       list_of(known));
    }
    by_place[found == places.end() ? label : found->second] = weight;
  }
  const auto width = static_cast<std::size_t>(info.sample.size());
  std::vector<float> result(static_cast<std::size_t>(info.rows), 1.0F);
  for (std::size_t row = 0; row < result.size(); ++row) {
    const float* target = targets.data() + row * width;
    const float label = width == 1 ? std::round(*target)
                                   : static_cast<float>(std::max_element(target, target + width) - target);
    if (width == 1 && label != *target) {
      throw InputError("fit.class_weight needs targets that are classes; row " + std::to_string(row) +
                       " of the targets is " + std::to_string(*target));
    }
    const auto found = by_place.find(static_cast<std::int64_t>(label));
    if (found != by_place.end()) result[row] = static_cast<float>(found->second);
  }
  return result;
}

std::vector<float> read_sample_weights(const std::string& source, const std::string& key, std::int64_t rows,
                                       const data::TableOptions& table, const data::MemoryArrays* memory) {
  data::SourceOptions options;
  options.memory = memory;
  options.table = table;
  options.source = source;
  options.role = data::Role::kWeights;
  options.key = key;
  const std::unique_ptr<data::ArraySource> opened = data::open_array(options);
  const data::ArrayInfo& info = opened->info();
  if (info.rows != rows || info.sample.size() != 1) {
    throw InputError(fmt::format(
        "{} \"{}\" holds {} rows of shape {}; one weight for each of the {} samples is expected{}", key,
        source, info.rows, info.sample.to_string(), rows,
        info.sample.size() == 1 ? ", for all rows of the inputs' file (data.rows takes its part of both)"
                                : ": give a source that holds the weights alone, or, where they are a column "
                                  "of the inputs' own table, "
                                  "leave this key out and say data.columns = NAME: weight"));
  }
  std::vector<std::byte> raw(static_cast<std::size_t>(info.bytes()));
  opened->read(raw);
  std::vector<float> weights = to_float(info, raw);
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (!(weights[row] >= 0)) {
      throw InputError(key + " \"" + source + "\", row " + std::to_string(row) + ": weight " +
                       std::to_string(weights[row]) + " is negative");
    }
  }
  return weights;
}

}  // namespace nntrain::train
