#include "data/tables/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/registry.h"
#include "data/python_slice.h"
#include "data/tables/exact_number.h"

namespace nntrain::data {

namespace {

std::string shown(std::string_view field) {
  return fmt::format("\"{}{}\"", field.substr(0, 40), field.size() > 40 ? "..." : "");
}

std::string unknown_label(const std::string& label, const std::vector<std::string>& names) {
  const std::string near = nearest(label, names);
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 20); ++i)
    list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  return fmt::format("the label {} is none of the known classes {}{}", shown(label), list,
                     near.empty() ? "" : "; did you mean " + near + "?");
}

}  // namespace

void LabelColumn::add(std::string_view field, std::int64_t line) {
  auto found = places_.find(field);
  if (found == places_.end()) {
    found = places_.emplace(std::string(field), texts_.size()).first;
    texts_.push_back({std::string(field), static_cast<std::int64_t>(values_.size()), line, 0, numbers_});
  }
  if (texts_[found->second].format != numbers_) compare_formats(texts_[found->second]);
  ++texts_[found->second].count;
  values_.push_back(static_cast<float>(found->second));
}

/// The same text in files of different decimal marks: is it the same number?
void LabelColumn::compare_formats(const Text& text) {
  float there = 0, here = 0;
  const NumberState first = parse(text, there);
  if (first == parse_number(text.text, numbers_, here) && there == here) return;
  two_readings_ =
      complain(text, shown(text.text) +
                         " means one number here and another in a later file, which writes numbers "
                         "differently; say data.decimal (and data.thousands) for all of them");
}

CellComplaint LabelColumn::finish() {
  if (!two_readings_.text.empty()) return two_readings_;
  std::vector<float> numbers(texts_.size());
  bool all_numbers = true, all_known = !known_.empty();
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    all_numbers = all_numbers && parse(texts_[i], numbers[i]) == NumberState::kGood;
    all_known = all_known && std::find(known_.begin(), known_.end(), texts_[i].text) != known_.end();
  }
  float ignored = 0;
  const bool known_texts = std::any_of(known_.begin(), known_.end(), [&](const std::string& name) {
    return parse_number(name, ignored) == NumberState::kNoNumber;
  });
  // Such names tell classes apart as texts alone.
  const bool too_long = std::any_of(known_.begin(), known_.end(), [&](const std::string& name) {
    return parse_number(name, ignored) == NumberState::kGood && loses_whole_number(name, {});
  });
  if (all_numbers && !too_long && !(all_known && known_texts)) {
    if (const CellComplaint complaint = check_numbers(numbers); !complaint.text.empty()) return complaint;
    for (float& value : values_) value = numbers[static_cast<std::size_t>(value)];
    return {};
  }
  are_classes_ = true;
  const CellComplaint complaint = known_.empty() ? check_classes() : check_known();
  if (!complaint.text.empty()) return complaint;
  names_ = known_;
  if (known_.empty()) {
    for (const auto& [name, place] : places_) names_.push_back(name);  // a map: sorted
  }
  std::vector<float> index(texts_.size());
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    index[i] = static_cast<float>(std::find(names_.begin(), names_.end(), texts_[i].text) - names_.begin());
  }
  for (float& value : values_) value = index[static_cast<std::size_t>(value)];
  return {};
}

/// Whole numbers that float32 rounds would be other classes, or the same one.
CellComplaint LabelColumn::check_numbers(const std::vector<float>& numbers) {
  constexpr std::size_t kListed = 20;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const Text& text = texts_[i];
    if (std::abs(numbers[i]) < 16777216.0F || !loses_whole_number(text.text, text.format)) continue;
    std::string what = fmt::format("{} becomes {:.0f} in float32", shown(text.text), numbers[i]);
    for (std::size_t k = 0; k < texts_.size(); ++k) {
      if (k == i || numbers[k] != numbers[i]) continue;
      what += fmt::format(", as {} in line {} (row {}) does", shown(texts_[k].text), texts_[k].line,
                          texts_[k].row);
      break;
    }
    if (!classes_) {
      note_ = what +
              ": whole numbers beyond 2^24 are rounded; subtract a start or scale them, or, if they are "
              "classes, name them by words";
      return {};
    }
    std::vector<Text> sorted = texts_;
    std::sort(sorted.begin(), sorted.end(), [](const Text& one, const Text& other) {
      return exact_number(one.text, one.format) < exact_number(other.text, other.format);
    });
    std::string list;
    for (std::size_t k = 0; k < std::min(sorted.size(), kListed); ++k)
      list += (k == 0 ? "" : ", ") + sorted[k].text;
    return complain(text, fmt::format("the label {}; classes beyond 2^24 are told apart when all are listed: "
                                      "data.class_names = {}{} (or give them short numbers or words)",
                                      what, list, texts_.size() > kListed ? ", ..." : ""));
  }
  return {};
}

CellComplaint LabelColumn::check_known() const {
  for (const Text& text : texts_) {
    if (text.text.empty()) return complain(text, "the label is empty");
    if (std::find(known_.begin(), known_.end(), text.text) == known_.end())
      return complain(text, unknown_label(text.text, known_));
  }
  return {};
}

/// Text that may become classes: nothing missing, nothing that is a number in other clothes.
CellComplaint LabelColumn::check_classes() const {
  float ignored = 0;
  std::int64_t number_rows = 0;
  const Text* first_text = nullptr;
  for (const Text& text : texts_) {
    if (text.text.empty()) return complain(text, "the label is empty; repair or remove such rows");
    if (marks_missing(text.text)) {
      return complain(
          text, shown(text.text) +
                    " marks a missing label; repair or remove such rows (or name it in data.class_names, "
                    "if it is a class)");
    }
    if (parse(text, ignored) == NumberState::kNoNumber) {
      if (first_text == nullptr) first_text = &text;
    } else {
      number_rows += text.count;
    }
  }
  if (first_text == nullptr)
    return complain(texts_.front(), shown(texts_.front().text) + " is not a finite number");
  const bool begins = first_text != &texts_.front();
  if (number_rows * 2 >= static_cast<std::int64_t>(values_.size())) {
    return complain(*first_text, shown(first_text->text) +
                                     (begins ? " is not a number, but the column begins with one"
                                             : " is not a number, but most rows hold one") +
                                     "; use text for all labels or for none");
  }
  for (const Text& text : texts_) {
    if (!looks_like_numbers(text.text)) continue;
    return complain(text,
                    shown(text.text) +
                        " looks like a number, but is text; write plain numbers, say data.columns = NAME: "
                        "numeric, or list the texts in data.class_names if they are classes");
  }
  return {};
}

bool LabelColumn::has_sets(const std::string& known_separator) const {
  if (!known_separator.empty()) return true;
  float ignored = 0;
  const bool text = std::any_of(texts_.begin(), texts_.end(), [&](const Text& one) {
    return !marks_missing(one.text) && parse(one, ignored) == NumberState::kNoNumber;
  });
  return text && (!find_separator().empty() || places_.contains(""));
}

std::string LabelColumn::find_separator() const {
  for (const char* separator : {";", "|", ","}) {
    const bool there = std::any_of(texts_.begin(), texts_.end(), [&](const Text& text) {
      return text.text.find(separator) != std::string::npos;
    });
    if (there) return separator;
  }
  return {};
}

CellComplaint LabelColumn::finish_sets(const std::string& known_separator) {
  separator_ = known_separator.empty() ? find_separator() : known_separator;
  if (separator_.empty()) separator_ = ";";
  std::vector<std::vector<std::string>> sets(texts_.size());
  std::set<std::string> all;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    std::string_view rest = texts_[i].text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(separator_), rest.size());
      const std::string label(trimmed(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (label.empty()) continue;
      if (marks_missing(label) || looks_like_numbers(label))
        return complain(texts_[i], shown(label) + " is no label; repair or remove such rows");
      if (!known_.empty() && std::find(known_.begin(), known_.end(), label) == known_.end())
        return complain(texts_[i], unknown_label(label, known_));
      sets[i].push_back(label);
      all.insert(label);
    }
  }
  names_ = known_.empty() ? std::vector<std::string>(all.begin(), all.end()) : known_;
  std::vector<float> bits(values_.size() * names_.size(), 0.0F);
  for (std::size_t row = 0; row < values_.size(); ++row) {
    for (const std::string& label : sets[static_cast<std::size_t>(values_[row])]) {
      const auto place = std::find(names_.begin(), names_.end(), label) - names_.begin();
      bits[row * names_.size() + static_cast<std::size_t>(place)] = 1.0F;
    }
  }
  values_ = std::move(bits);
  are_classes_ = true;
  return {};
}

}  // namespace nntrain::data
