#pragma once
// Golden numbers: tests/golden/<family>.json, written by real Keras (see tests/golden/README.md).

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/shape.h"

namespace nntrain::golden {

inline Json load(const std::string& family) {
  std::ifstream file(std::string(NNTRAIN_TESTS_DIR) + "/golden/" + family + ".json");
  Json json = Json::parse(file, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << family;
  EXPECT_FALSE(json["cases"].empty()) << family;
  return json;
}

/// By value: a range-for over load(...)["cases"] would walk an object that is gone.
inline Json cases(const std::string& family) { return load(family)["cases"]; }

inline std::vector<float> values(const Json& array) {
  std::vector<float> all;
  const Json& data = array.is_object() ? array["data"] : array;
  if (data.is_number()) return {data.get<float>()};
  for (const Json& item : data) {
    if (item.is_number()) {
      all.push_back(item.get<float>());
    } else {
      const std::string text = item.is_string() ? item.get<std::string>() : "nan";
      all.push_back(text.find("inf") != std::string::npos || text.find("Inf") != std::string::npos
                        ? (text[0] == '-' ? -INFINITY : INFINITY)
                        : NAN);
    }
  }
  return all;
}

inline Shape shape(const Json& array) { return Shape(array["shape"].get<std::vector<std::int64_t>>()); }

/// |a - b| <= tolerance * max(largest |b|, floor): relative to the size of the array, as float32 sums allow.
inline void expect_near(const std::vector<float>& actual, const std::vector<float>& expected,
                        double tolerance, const std::string& what, double floor = 1e-3) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = floor;
  for (const float value : expected) {
    if (std::isfinite(value)) largest = std::max(largest, static_cast<double>(std::abs(value)));
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(actual[i])) continue;
    if (actual[i] == expected[i]) continue;
    EXPECT_NEAR(actual[i], expected[i], tolerance * largest) << what << " [" << i << "]";
  }
}

}  // namespace nntrain::golden
