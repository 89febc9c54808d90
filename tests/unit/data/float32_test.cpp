// What float32 does not hold is said, or refused where it would be another class.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/data/sources.h"

namespace nntrain::data {
namespace {

using test::contains;
using test::load;
using test::load_error;
using test::options_for;
using test::Scratch;

std::string all_notes(const SourceOptions& options) {
  std::string text;
  for (const std::string& note : load(options).info.notes) text += note + "\n";
  return text;
}

TEST(Float32, NumbersThatBecomeEqualAreSaid) {
  const Scratch scratch;
  struct Case {
    double start, step;
    const char *format, *decimal, *kind;
    bool collapses;
  };
  const std::vector<Case> cases = {
      {2459000.5, 0.01, "{:.5f}", ".", "", true},
      {1700000000.25, 1, "{:.3f}", ".", "", true},
      {1700000000.25, 1, "{:.3f}", ",", "", true},
      {2459000.5, 0.01, "{:.5f} d", ".", "a: numeric", true},
      {-2459000.5, 0.01, "{:.5f}", ".", "", true},
      {0.12345678901, 1e-10, "{:.14f}", ".", "", true},
      {2459000.5, 1, "{:.5f}", ".", "", false},
      {0.1, 0.001, "{:.17f}", ".", "", false},
      {3, 0, "{:.9f}", ".", "", false},
  };
  for (const Case& one : cases) {
    std::string text = "a;y\n";
    for (int i = 0; i < 40; ++i) {
      std::string cell = fmt::format(fmt::runtime(one.format), one.start + i * one.step);
      if (cell.find('.') != std::string::npos) cell.replace(cell.find('.'), 1, one.decimal);
      text += cell + ";1.5\n";
    }
    if (*one.decimal == ',') text.replace(text.find("1.5"), 3, "1,5");
    for (std::size_t at = 0; *one.decimal == ',' && (at = text.find(";1.5", at)) != std::string::npos;)
      text.replace(at, 4, ";1,5");
    SourceOptions options = options_for(scratch.write("t.csv", text));
    options.table.columns = one.kind;
    const std::string notes = all_notes(options);
    EXPECT_EQ(contains(notes, "column \"a\" holds numbers that float32 does not tell apart"), one.collapses)
        << text.substr(0, 60) << notes;
    EXPECT_FALSE(contains(notes, "column \"y\"")) << notes;
  }
  // The same number in other words is no other number.
  EXPECT_FALSE(contains(all_notes(options_for(scratch.write("t.csv", "a,y\n0.1,1\n0.10000000,1\n+0.1,1\n"))),
                        "tell apart"));
}

TEST(Float32, ClassesBeyond24BitsAreRefusedOrListed) {
  const Scratch scratch;
  const std::string path = scratch.write("t.csv", "y\n16777216\n16777217\n3\n16777216\n");
  SourceOptions options = options_for(path, Role::kTargets);
  options.wants_numbers = "compile.loss = SparseCategoricalCrossentropy";
  const std::string error = load_error(options);
  for (const char* part : {"t.csv", "line 3 (row 1)", "\"16777217\"", "\"16777216\" in line 2 (row 0)",
                           "data.class_names = 3, 16777216, 16777217"})
    EXPECT_TRUE(contains(error, part)) << error;
  options.class_names = {"3", "16777216", "16777217"};
  const test::Loaded listed = load(options);
  EXPECT_EQ(listed.floats(), (std::vector<float>{1, 2, 0, 1}));
  EXPECT_EQ(listed.info.class_names, options.class_names);
  // Of such classes none is a number, where a file has only some of them, or another label.
  options.source = scratch.write("some.csv", "y\n3\n3\n");
  EXPECT_EQ(load(options).floats(), (std::vector<float>{0, 0}));
  options.source = scratch.write("other.csv", "y\n3\n1\n");
  EXPECT_TRUE(contains(load_error(options), "\"1\" is none of the known classes")) << load_error(options);

  for (const char* alone : {"4294967297", "16777217", "9007199254740993", "-16777217"}) {
    SourceOptions one = options_for(scratch.write("t.csv", fmt::format("y\n0\n{}\n", alone)), Role::kTargets);
    EXPECT_TRUE(contains(all_notes(one), alone)) << all_notes(one);  // for whoever knows no loss
    one.wants_numbers = options.wants_numbers;
    EXPECT_TRUE(contains(load_error(one), alone)) << load_error(one);
  }
  SourceOptions held = options_for(scratch.write("t.csv", "y\n16777216\n4294967296\n0\n"), Role::kTargets);
  held.wants_numbers = options.wants_numbers;
  EXPECT_EQ(load(held).floats(), (std::vector<float>{16777216, 4294967296, 0}));
}

}  // namespace
}  // namespace nntrain::data
