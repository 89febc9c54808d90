#pragma once
// Missing values: what data.missing says, and the value that takes their place.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
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

/// What fills the gaps of a column, measured from the known values of those rows that train, given in their
/// order. Sums are float64; the median of an even number is the mean of both middle ones; of equally frequent
/// values the smallest.
class FillMeasure {
 public:
  explicit FillMeasure(MissingHow how);  ///< kMean, kMedian, kMostFrequent, kIndicator
  void add(float value);
  /// All values were added. True: they have to be added once more.
  bool wants_more();
  /// InputError (`name`: the column) when there was no value.
  double result(const std::string& name) const;

 private:
  void begin_low_halves();

  MissingHow how_;
  std::int64_t count_ = 0;
  double sum_ = 0;
  std::unordered_map<float, std::int64_t> counts_;
  // The median: which values share the upper half of their bits with it, then which of these it is.
  int pass_ = 0;
  std::vector<std::int64_t> upper_;
  struct Middle {
    std::int64_t rank = 0;  ///< among those of its upper half
    std::uint32_t upper = 0;
    std::vector<std::int64_t> lower;
    float value() const;
  };
  std::vector<Middle> middles_;
};

/// What fills NaN in `values`, from those rows that train (`training` empty: all). InputError (`name`: the
/// column) when no training row has a value.
double fill_value(const std::vector<float>& values, const std::vector<bool>& training,
                  const MissingRule& rule, const std::string& name);

}  // namespace nntrain::data
