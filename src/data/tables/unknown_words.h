#pragma once
// Private to src/data: words that nobody knows, for a NOTE, and how often a column has which value.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::data {

/// Cells of a column with words that the training rows do not have.
struct UnknownWords {
  std::int64_t cells = 0;
  std::vector<std::string> words;  ///< the first few different ones
  void add(std::string_view word, std::int64_t count = 1);
  void add(const UnknownWords& more);
};

/// "houses.csv, column "town": 2 cells hold a word that ...". `where`: file and column; `text`: it is the
/// model's vocabulary that does not have them.
std::string unknown_note(const std::string& where, const UnknownWords& unknown, bool text);

/// How often each value 0, 1, .. of a column stands in all rows, and in those that train.
struct ValueCounts {
  std::vector<std::int64_t> all, training;
  std::int64_t missing = 0;  ///< NaN in rows that train
  void add(float value, bool trains);
  std::int64_t of_training(std::size_t value) const { return value < training.size() ? training[value] : 0; }
  std::int64_t of_all(std::size_t value) const { return value < all.size() ? all[value] : 0; }
};

}  // namespace nntrain::data
