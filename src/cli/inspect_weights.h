#pragma once
// inspect --weights: numbers of every weight array, or one array itself.

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/json.h"

namespace nntrain::cli {

/// Of one weight array. Mean, deviation (of the population), minimum and maximum are of its finite values,
/// NaN where there are none.
struct WeightStatistics {
  std::string name;  ///< "dense/kernel"
  Shape shape;
  double mean = 0, deviation = 0, minimum = 0, maximum = 0;
  std::int64_t nan_count = 0, infinite_count = 0;
  double zero_fraction = 0;
};

WeightStatistics statistics_of(const checkpoint::WeightArray& weight);
std::string statistics_table(const std::vector<checkpoint::WeightArray>& weights);
Json statistics_json(const std::vector<checkpoint::WeightArray>& weights);

/// "dense/kernel". Throws InputError with the nearest names.
const checkpoint::WeightArray& find_weight(const std::vector<checkpoint::WeightArray>& weights,
                                           const std::string& name);

/// A line a row of the last axis; every value as short as reads back the same.
/// Does a file that begins so hold an array of this one's form, in numbers as weight_csv() writes them?
bool is_csv_of_weights(std::string_view start, const checkpoint::WeightArray& weight);
std::string weight_csv(const checkpoint::WeightArray& weight);
std::string weight_npy(const checkpoint::WeightArray& weight);

}  // namespace nntrain::cli
