#pragma once
// Private to src/data: what a number's text says before it becomes float32, and what is lost on the way.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "data/tables/number_text.h"

namespace nntrain::data {

/// The number in float64, of a field that parse_number() takes.
double exact_number(std::string_view field, const NumberFormat& format);

/// Is it a whole number that float32 does not hold? From 2^24 on most are rounded.
bool loses_whole_number(std::string_view field, const NumberFormat& format);

/// Do numbers that differ become equal? Looks at neighbouring rows: cheap, and time stamps differ there.
class CollapseWatch {
 public:
  void add(float value, double exact) {
    const bool differs = exact != last_;
    steps_ += differs;
    if (differs && value == last_value_) keep(exact);
    last_ = exact;
    last_value_ = value;
  }
  /// More than here and there, where fine steps are mere decimals of numbers in order?
  bool matters() const { return collapsed_ * 50 >= steps_ && collapsed_ > 0; }
  /// "2459000.5 and 2459000.51 are both 2459000.5 (37 of 39 steps from row to row)".
  std::string text() const;

 private:
  void keep(double exact);

  double last_ = std::numeric_limits<double>::quiet_NaN();
  float last_value_ = std::numeric_limits<float>::quiet_NaN();
  std::int64_t steps_ = -1, collapsed_ = 0;  ///< the first number is no step
  double one_ = 0, other_ = 0;
};

}  // namespace nntrain::data
