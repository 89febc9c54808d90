// What Discretization(num_bins=K) and IntegerLookup() learn of values, against Keras' adapt().

#include "nn/layers/learned_spec.h"

#include <gtest/gtest.h>

#include "core/call.h"
#include "core/error.h"
#include "golden_json.h"
#include "nn/layers/layer.h"

namespace nntrain::nn {
namespace {

TEST(LearnedLayers, AreThoseOfKeras) {
  int tried = 0;
  for (const Json& one : golden::cases("lookups")) {
    if (one["kind"] != "learned") continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    const Json spec =
        learned(layers().canonical(parse_call(one["spec"].get<std::string>())), golden::values(one["x"]));
    const char* key = spec["class_name"] == "Discretization" ? "bin_boundaries" : "vocabulary";
    EXPECT_EQ(spec["config"][key].get<std::vector<float>>(), golden::values(one["learned"]));
    EXPECT_NO_THROW(layers().make(spec));
    ++tried;
  }
  EXPECT_GE(tried, 45);
}

TEST(LearnedLayers, NeedValuesThatMakeSense) {
  const Json lookup = layers().canonical(parse_call("IntegerLookup()"));
  EXPECT_THROW(learned(lookup, {1, 2.5F}), InputError);
  EXPECT_THROW(learned(lookup, {1, 16777220.0F}), InputError);
  EXPECT_THROW(learned(layers().canonical(parse_call("Discretization(num_bins=0)")), {1, 2}), InputError);
}

}  // namespace
}  // namespace nntrain::nn
