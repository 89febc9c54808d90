#pragma once
// Private to src/data: the cells of one column, turned into numbers while the file is read, and into the
// values of samples afterwards.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "data/tables/columns.h"
#include "data/tables/exact_number.h"
#include "data/tables/missing.h"
#include "data/tables/number_text.h"
#include "data/tables/unknown_words.h"
#include "data/tables/word_table.h"

namespace nntrain::data {

/// What is known of a column before it is read.
struct ColumnPlan {
  std::size_t index = 0;
  std::string name;  ///< of the header; empty: none
  ColumnKind kind = ColumnKind::kAuto;
  std::string argument;        ///< of the kind
  bool may_be_index = false;   ///< an unnamed or id-like column that nobody asked for
  bool unnamed_index = false;  ///< the first column, without a name, of a file with a header
  bool is_target = false;
  bool may_be_target = false;  ///< an input of a table whose target nobody has named
  MissingRule missing;
  std::shared_ptr<WordTable> words;  ///< of kText
  Json training;                     ///< what the training table's column was; null while training
};

/// Reads one column of inputs, or of targets and weights that are numbers.
class ColumnReader {
 public:
  ColumnReader(ColumnPlan plan, const NumberFormat& numbers);

  /// The rows to come are another file's, which has its own marks and may count its rows anew.
  void begin_file(const NumberFormat& numbers) {
    numbers_ = numbers;
    distinct_.clear();
    look_for_plain();
  }
  /// Takes the next row's cell; a complaint, or empty.
  std::string add(std::string_view field);
  /// Must add() see the text of a plain number, as read_plain_number() reads it? Else add_plain() takes it.
  bool wants_text(float value) const {
    constexpr float kWholeBelow = 16777216.0F;  // from there on whole numbers may be rounded: a note
    return !plain_ || !(value < kWholeBelow) || !(value > -kWholeBelow);
  }
  /// `exact`: the number before it was rounded.
  void add_plain(float value, double exact) {
    values_.push_back(value);
    collapse_.add(value, exact);
  }
  /// Is it one value a row, none of them missing?
  bool is_bare() const {
    return missing_ == 0 && !indicator_ && plan_.kind != ColumnKind::kCategorical &&
           date_form_ != DateForm::kParts;
  }
  const std::vector<float>& values() const { return values_; }
  std::int64_t rows() const { return forgotten_ + static_cast<std::int64_t>(values_.size()); }
  /// The values so far are not kept; rows go on to be counted.
  void forget_values() {
    forgotten_ += static_cast<std::int64_t>(values_.size());
    values_.clear();
    exact_.clear();
  }
  /// The complaint of a column that may be an index, kept until it is known whether it is one.
  const std::string& put_off() const { return put_off_; }
  std::int64_t put_off_row() const { return put_off_row_; }

  /// All cells are different and whole numbers, or it is the first column and has no name.
  bool is_index() const;
  /// Not a single cell holds anything.
  bool is_empty() const { return rows() > 0 && missing_ == rows(); }
  std::string example() const { return example_; }

  /// After the last row: categories in sorted order.
  void sort();
  /// Do words that no training row has lose their place? Then, after sort(): those that have one, by counts
  /// of places.
  bool keeps_training_words() const { return form_.oov && !known_categories_; }
  void keep_words(const ValueCounts& counts);
  bool is_text() const { return plan_.kind == ColumnKind::kText; }
  /// Text: must its words be counted to fill the gaps?
  bool counts_words() const {
    return is_text() && fills() && plan_.training.is_null() && plan_.missing.how != MissingHow::kConstant;
  }
  /// Text, whose words were collected and counted by number: the word that fills the gaps, or null; then, by
  /// the words' codes, what values become. `where` as in messages.
  const std::string* fill_word(const ValueCounts& counts, const std::string& where);
  void take_codes(const std::vector<float>& codes, const ValueCounts& counts, const std::string& where);
  /// What must be measured of the values to fill the gaps; kError: nothing.
  MissingHow measured_how() const;
  /// After sort(). `measured`: FillMeasure's result. `where` as in messages.
  void finish(double measured, const std::string& where);
  /// Cells with words that are taken as unknown, of all rows so far.
  const UnknownWords& unknown() const { return unknown_; }
  /// The rows to come are those of before once more.
  void read_again();
  /// How many values of a sample it makes, and what they are called.
  std::vector<std::string> value_names() const;
  void write(std::size_t row, float* values) const;
  Json description() const;  ///< for ColumnPlan::training
  const ColumnPlan& plan() const { return plan_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::string add_numeric(std::string_view field, float& value);
  std::string add_dressed(std::string_view field, float& value);
  std::string add_category(std::string_view field, float& value);
  std::string add_word(std::string_view field, bool missing, float& value);
  bool is_missing(std::string_view field) const;
  std::string add_date(std::string_view field, bool missing, float& value);
  void read_date_argument();
  void write_date(std::size_t row, float*& out) const;
  std::string not_a_number(std::string_view field) const;
  void note_rounding(std::string_view field, float value);
  void watch_index(std::string_view field);
  void sort_categories();
  void note_unknown(std::string_view field);
  std::string category(double place) const;
  std::string label() const;
  void note_near_categories();
  void look_for_plain();
  void finish_missing(double measured, const std::string& where);
  bool fills() const { return plan_.missing.how != MissingHow::kError; }

  ColumnPlan plan_;
  NumberFormat numbers_;
  CategoryForm form_;           ///< of categories
  std::vector<float> values_;   ///< NaN: missing; categories: their places, -1: unknown; text: codes
  std::int64_t forgotten_ = 0;  ///< values that are not kept
  enum class DateForm { kDays, kSeconds, kParts };
  DateForm date_form_ = DateForm::kDays;
  std::string date_format_;
  std::vector<double> exact_;  ///< kParts: days, beside values_
  bool has_times_ = false;     ///< kParts: hours, minutes, seconds are wanted
  std::int64_t missing_ = 0;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::vector<std::string> categories_;
  bool known_categories_ = false;
  bool unit_known_ = false;
  bool plain_ = false;           ///< cells are numbers without a unit, with a decimal point
  std::string prefix_, suffix_;  ///< of numbers with a unit, the same in every row
  std::set<std::string, std::less<>> distinct_;
  bool all_distinct_ = true, all_whole_ = true;
  std::string put_off_, example_;
  std::int64_t put_off_row_ = 0;
  double fill_ = 0;
  std::string fill_word_;  ///< of text
  bool indicator_ = false;
  bool rounded_ = false;
  CollapseWatch collapse_;
  bool read_again_ = false;
  UnknownWords unknown_;
  std::vector<std::string> notes_;
};

/// `"a", "b", ...`
std::string category_list(const std::vector<std::string>& names);

}  // namespace nntrain::data
