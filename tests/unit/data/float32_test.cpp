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

}  // namespace
}  // namespace nntrain::data
