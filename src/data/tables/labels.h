#pragma once
// Private to src/data: a target column that may hold classes, or several labels a cell.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/tables/number_text.h"

namespace nntrain::data {

/// A complaint about a cell, for whoever knows file and column.
struct CellComplaint {
  std::int64_t row = 0, line = 0;
  std::string text;  ///< empty: none
};

/// Takes every cell as text, and decides when all are known: numbers, or classes.
class LabelColumn {
 public:
  /// `known`: names whose places the labels get; empty: sorted order.
  /// `classes`: numbers will be classes, too, so that two of them must not become one.
  LabelColumn(std::vector<std::string> known, const NumberFormat& numbers, bool classes)
      : known_(std::move(known)), numbers_(numbers), classes_(classes) {}

  /// The rows to come are another file's, which may write numbers in its own way.
  void begin_file(const NumberFormat& numbers) { numbers_ = numbers; }
  void add(std::string_view field, std::int64_t line);

  /// Numbers, or indices of classes.
  CellComplaint finish();
  bool are_classes() const { return are_classes_; }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<float>& values() const { return values_; }
  const std::string& note() const { return note_; }  ///< empty: none

  /// Several labels a cell: is there a cell with a separator? (With a known one, or none at all beside empty
  /// cells, there need not be.)
  bool has_sets(const std::string& known_separator) const;
  /// One column of 0 and 1 a label, (rows, names()).
  CellComplaint finish_sets(const std::string& known_separator);
  const std::string& separator() const { return separator_; }

 private:
  struct Text {
    std::string text;
    std::int64_t row = 0, line = 0, count = 0;
    NumberFormat format;  ///< of the file where it came first
  };
  NumberState parse(const Text& text, float& value) const {
    return parse_number(text.text, text.format, value);
  }
  void compare_formats(const Text& text);
  CellComplaint complain(const Text& text, const std::string& what) const {
    return {text.row, text.line, what};
  }
  CellComplaint check_classes() const;
  CellComplaint check_numbers(const std::vector<float>& numbers);
  CellComplaint check_known() const;
  std::string find_separator() const;

  std::vector<std::string> known_;
  NumberFormat numbers_;
  bool classes_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<Text> texts_;  ///< different ones, in order of appearance
  std::vector<float> values_;
  std::vector<std::string> names_;
  std::string separator_, note_;
  CellComplaint two_readings_;
  bool are_classes_ = false;
};

}  // namespace nntrain::data
