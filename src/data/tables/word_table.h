#pragma once
// Private to src/data: the words of text inputs, one table for all columns, as codes (core/text_codes.h).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text_codes.h"

namespace nntrain::data {

class WordTable {
 public:
  explicit WordTable(TextCodes codes);

  /// Is there a vocabulary still to be learned?
  bool learns() const { return !codes_.vocabulary; }
  /// Before the first word: words get numbers in order of appearance, until settle().
  void collect() { collects_ = true; }
  bool collects() const { return collects_; }

  /// A cell's word as its code, or its number while they are collected. A complaint, or empty.
  std::string add(std::string_view word, float& value);
  /// Does the model know it by name: is it the mask, or in a vocabulary that was given?
  bool names(std::string_view word) const;
  /// InputError: there is none. Not while words are collected.
  float code(std::string_view word) const;
  /// Its number, while words are collected: a new one if need be.
  std::size_t number(std::string_view word);
  const std::string& word(std::size_t number) const { return words_[number]; }

  /// `counts`: of each number in the rows that train. Learns the vocabulary, if there is none: the most
  /// frequent words first, of equally frequent ones the last in the order of bytes. Returns the codes by
  /// number, NaN where there is none; collects no longer. InputError (`name`: the table): no word.
  std::vector<float> settle(const std::vector<std::int64_t>& counts, const std::string& name);
  /// After settle(): their numbers are not wanted any more.
  void forget_numbers();
  /// For messages: the word has no code.
  std::string no_code(std::string_view word) const;
  /// There are words that it has, and others.
  bool has_vocabulary() const { return !places_.empty(); }
  const std::vector<std::string>& vocabulary() const { return *codes_.vocabulary; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Places = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  std::optional<float> find_code(std::string_view word) const;
  void learn(const std::vector<std::int64_t>& counts);
  void take_vocabulary();

  TextCodes codes_;
  bool collects_ = false;
  Places places_;   ///< in the vocabulary
  Places numbers_;  ///< of collected words
  std::vector<std::string> words_;
};

}  // namespace nntrain::data
