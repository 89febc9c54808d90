#include "data/tables/word_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"

namespace nntrain::data {

WordTable::WordTable(TextCodes codes) : codes_(std::move(codes)) {
  if (codes_.vocabulary) {
    take_vocabulary();
  } else {
    collect();
  }
}

void WordTable::take_vocabulary() {
  places_.clear();
  for (const std::string& word : *codes_.vocabulary) places_.emplace(word, places_.size());
}

std::optional<float> WordTable::find_code(std::string_view word) const {
  if (codes_.mask && word == *codes_.mask) return kMaskCode;
  const auto found = places_.find(word);
  if (found != places_.end()) return static_cast<float>(found->second);
  if (codes_.buckets == 0) return std::nullopt;
  return bucket_code(codes_, word);
}

std::string WordTable::no_code(std::string_view word) const {
  return fmt::format(
      "\"{}\" is not in the vocabulary of the layer {}, whose num_oov_indices = 0 leaves no index for it; "
      "num_oov_indices = 1 does",
      word.substr(0, 40), codes_.layer);
}

std::string WordTable::add(std::string_view word, float& value) {
  const bool known = codes_.vocabulary.has_value();
  if (known) {
    const std::optional<float> code = find_code(word);
    if (!code) return no_code(word);
    value = *code;
  }
  if (!collects_) return {};
  value = static_cast<float>(number(word));
  if (static_cast<std::int64_t>(words_.size()) < kMostTextCodes) return {};
  return fmt::format(
      "more than {} different words; is a column among them an id? data.columns = NAME: id or "
      "ignore leaves it out",
      kMostTextCodes);
}

bool WordTable::names(std::string_view word) const {
  return (codes_.mask && word == *codes_.mask) || places_.contains(word);
}

float WordTable::code(std::string_view word) const {
  const std::optional<float> code = find_code(word);
  if (!code) throw InputError(no_code(word));
  return *code;
}

std::size_t WordTable::number(std::string_view word) {
  const auto found = numbers_.find(word);
  if (found != numbers_.end()) return found->second;
  numbers_.emplace(word, words_.size());
  words_.emplace_back(word);
  return words_.size() - 1;
}

void WordTable::learn(const std::vector<std::int64_t>& counts) {
  std::vector<std::pair<std::int64_t, std::string>> found;  // count, word: both from high to low
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const std::int64_t count = i < counts.size() ? counts[i] : 0;
    if (count == 0 || words_[i] == codes_.mask || words_[i] == codes_.left_out) continue;
    found.emplace_back(count, words_[i]);
  }
  std::sort(found.rbegin(), found.rend());
  if (static_cast<std::int64_t>(found.size()) > codes_.most_words)
    found.resize(static_cast<std::size_t>(codes_.most_words));
  codes_.vocabulary.emplace();
  for (auto& [count, word] : found) codes_.vocabulary->push_back(std::move(word));
  take_vocabulary();
}

std::vector<float> WordTable::settle(const std::vector<std::int64_t>& counts, const std::string& name) {
  if (learns()) {
    learn(counts);
    if (vocabulary().empty())
      throw InputError(
          fmt::format("{}: the rows that train have no word from which the layer {} could learn "
                      "a vocabulary",
                      name, codes_.layer));
  }
  std::vector<float> codes;
  for (const std::string& word : words_)
    codes.push_back(find_code(word).value_or(std::numeric_limits<float>::quiet_NaN()));
  collects_ = false;
  return codes;
}

void WordTable::forget_numbers() {
  words_ = {};
  numbers_ = {};
}

}  // namespace nntrain::data
