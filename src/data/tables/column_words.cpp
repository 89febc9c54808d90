// ColumnReader's part in words: categories, and text that the model takes as it is.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/registry.h"
#include "data/tables/column_reader.h"

namespace nntrain::data {

namespace {

/// The place of words that are no category: before the first one.
constexpr float kUnknownPlace = -1;

std::string shown(std::string_view field) {
  return fmt::format("\"{}{}\"", field.substr(0, 40), field.size() > 40 ? "..." : "");
}

}  // namespace

std::string category_list(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 20); ++i)
    list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  return names.size() > 20 ? list + ", ..." : list;
}

std::string ColumnReader::label() const {
  return plan_.name.empty() ? std::to_string(plan_.index) : plan_.name;
}

void ColumnReader::note_unknown(std::string_view field) {
  if (!read_again_) unknown_.add(field);
}

std::string ColumnReader::add_category(std::string_view field, float& value) {
  if (field.empty()) {
    return "the value is empty; repair or remove such rows, or fill them with data.missing = most_frequent, "
           "constant(v) or indicator";
  }
  if (marks_missing(field)) return not_a_number(field);
  if (form_.oov && field == kUnknownWord) {
    value = kUnknownPlace;
    return {};
  }
  auto found = places_.find(field);
  if (found == places_.end() && known_categories_ && form_.oov) {
    note_unknown(field);
    value = kUnknownPlace;
    return {};
  }
  if (found == places_.end() && known_categories_) {
    const std::string near = nearest(field, categories_);
    return fmt::format(
        "{} is none of the categories of the training table: {}{}; data.columns = {}: categorical({}) in the "
        "training gives such words an index of their own",
        shown(field), category_list(categories_), near.empty() ? "" : "; did you mean " + near + "?", label(),
        form_.indices ? "indices, oov" : "oov");
  }
  if (found == places_.end()) {
    found = places_.emplace(std::string(field), categories_.size()).first;
    categories_.emplace_back(field);
    const std::size_t most = form_.indices ? std::size_t{1} << 24U : 10000;  // one column, or many
    if (categories_.size() > most) {
      return fmt::format(
          "more than {} categories; is it an id? data.columns = {}: id or ignore leaves it out", most,
          plan_.name);
    }
  }
  value = static_cast<float>(found->second);
  return {};
}

void ColumnReader::sort_categories() {
  if (known_categories_) return;
  std::vector<std::string> sorted = categories_;
  float number = 0;
  const bool numbers = std::all_of(sorted.begin(), sorted.end(), [&](const std::string& text) {
    return parse_number(text, numbers_, number) == NumberState::kGood;
  });
  std::sort(sorted.begin(), sorted.end(), [&](const std::string& a, const std::string& b) {
    float first = 0, second = 0;
    if (!numbers) return a < b;
    parse_number(a, numbers_, first);
    parse_number(b, numbers_, second);
    return first != second ? first < second : a < b;
  });
  std::vector<float> place(categories_.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) place[places_[sorted[i]]] = static_cast<float>(i);
  for (float& value : values_) {
    if (value >= 0) value = place[static_cast<std::size_t>(value)];  // neither NaN nor unknown
  }
  for (std::size_t i = 0; i < sorted.size(); ++i) places_[sorted[i]] = i;
  categories_ = std::move(sorted);
  note_near_categories();
}

/// "Ulm" and "ulm" are hardly meant as two.
void ColumnReader::note_near_categories() {
  std::map<std::string, std::string> seen;
  for (const std::string& category : categories_) {
    std::string plain;
    for (const char c : category)
      if (c != ' ') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const auto [other, is_new] = seen.emplace(plain, category);
    if (is_new) continue;
    notes_.push_back(fmt::format("column \"{}\": \"{}\" and \"{}\" are two categories: is that meant?",
                                 label(), other->second, category));
    return;
  }
}

void ColumnReader::keep_words(const ValueCounts& counts) {
  std::vector<std::string> kept;
  std::vector<float> place(categories_.size(), kUnknownPlace);
  places_.clear();
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    if (counts.of_training(i) > 0) {
      place[i] = static_cast<float>(kept.size());
      places_.emplace(categories_[i], kept.size());
      kept.push_back(categories_[i]);
    } else {
      unknown_.add(categories_[i], counts.of_all(i));
    }
  }
  for (float& value : values_) {
    if (value >= 0) value = place[static_cast<std::size_t>(value)];  // neither NaN nor unknown
  }
  categories_ = std::move(kept);
}

/// What the model knows by name is a word, whatever it looks like.
bool ColumnReader::is_missing(std::string_view field) const {
  return marks_missing(field) && !(is_text() && plan_.words->names(field));
}

std::string ColumnReader::add_word(std::string_view field, bool missing, float& value) {
  if (missing) {
    return (field.empty() ? std::string("the value is empty") : shown(field) + " marks a missing value") +
           "; repair or remove such rows, fill them with data.missing = most_frequent or constant(word), or "
           "make it a word: mask_token, or one of the vocabulary";
  }
  const std::string complaint = plan_.words->add(field, value);
  if (value < 0 && plan_.words->has_vocabulary()) note_unknown(field);
  return complaint;
}

const std::string* ColumnReader::fill_word(const ValueCounts& counts, const std::string& where) {
  if (!is_text() || !fills()) return nullptr;
  if (plan_.missing.how == MissingHow::kConstant) return &plan_.missing.constant;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < counts.training.size(); ++i) {
    const std::string& word = plan_.words->word(i);
    if (counts.training[i] == 0 || counts.training[i] < most) continue;
    if (counts.training[i] > most || word < fill_word_) fill_word_ = word;
    most = counts.training[i];
  }
  if (most == 0)
    throw InputError(
        where +
        ": no training row has a value, so there is no most_frequent to fill in; leave the column out "
        "(data.columns = ...: ignore) or give constant(word)");
  return &fill_word_;
}

void ColumnReader::take_codes(const std::vector<float>& codes, const ValueCounts& counts,
                              const std::string& where) {
  for (std::size_t i = 0; i < counts.all.size(); ++i) {
    if (counts.all[i] == 0) continue;
    if (std::isnan(codes[i])) throw InputError(where + ": " + plan_.words->no_code(plan_.words->word(i)));
    if (codes[i] < 0 && plan_.words->has_vocabulary()) unknown_.add(plan_.words->word(i), counts.all[i]);
  }
  for (float& value : values_)
    if (!std::isnan(value)) value = codes[static_cast<std::size_t>(value)];
}

/// Of a place.
std::string ColumnReader::category(double place) const {
  return place < 0 ? std::string(kUnknownWord) : categories_[static_cast<std::size_t>(place)];
}

}  // namespace nntrain::data
