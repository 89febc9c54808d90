#pragma once
// Private to src/data: what a column is, from all its cells (`data.columns = auto`).

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "data/tables/columns.h"
#include "data/tables/number_text.h"

namespace nntrain::data {

/// Takes every cell of a column. A kind is found only where all cells that are not missing speak for it.
class KindFinder {
 public:
  void add(std::string_view field, const NumberFormat& numbers);
  /// kAuto: numbers, or nothing that is clear.
  ColumnKind kind() const;
  /// "numbers", "3 words: Jena, Kiel, Ulm", "dates, from .. on", with the missing ones.
  std::string describe() const;

 private:
  static constexpr std::size_t kMostWords = 1000;

  std::int64_t cells_ = 0, missing_ = 0, numbers_ = 0, booleans_ = 0, dates_ = 0, strange_ = 0;
  std::string example_;
  bool too_many_ = false;
  std::set<std::string, std::less<>> words_;
};

}  // namespace nntrain::data
