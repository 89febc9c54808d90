#pragma once
// Missing values: what data.missing says, and the value that takes their place.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nntrain::data {

enum class MissingHow { kError, kMean, kMedian, kMostFrequent, kConstant, kIndicator };

struct MissingRule {
  MissingHow how = MissingHow::kError;
  std::string constant;  ///< of constant(v), as written
};
const char* missing_name(MissingHow how);

/// `mean`, or `error, area: mean, town: most_frequent`: a rule for all columns and those of single ones.
class MissingRules {
 public:
  MissingRules() = default;
  explicit MissingRules(std::string_view text);  ///< InputError names data.missing
  const MissingRule& of(const std::string& column) const;
  std::vector<std::string> columns() const;

 private:
  MissingRule all_;
  std::map<std::string, MissingRule> by_column_;
};

/// The value that fills NaN in `values`, from those rows that train (`training` empty: all). Sums are float64
/// in the order of rows; the median of an even number is the mean of both middle ones; of equally frequent
/// values the smallest. InputError (`name`: the column) when no training row has a value.
double fill_value(const std::vector<float>& values, const std::vector<bool>& training,
                  const MissingRule& rule, const std::string& name);

}  // namespace nntrain::data
