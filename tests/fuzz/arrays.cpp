// Files of samples: idx, gz (of IDX and tables), csv (and SVMlight), npy, hdf5.

#include <vector>

#include "data/array_source.h"
#include "fuzz/harness.h"

namespace nntrain::fuzz {

namespace {

/// The reader takes what a file that is whole says; a small limit keeps an execution short.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 20;

void read_array(const data::SourceOptions& options) {
  attempt([&] {
    const auto opened = data::open_array(options);
    if (opened->info().bytes() > kMostBytes) return;
    std::vector<std::byte> memory(static_cast<std::size_t>(opened->info().bytes()));
    opened->read(memory);
  });
}

/// As inputs, as targets.
std::vector<data::SourceOptions> of_both_roles(const std::string& dataset) {
  std::vector<data::SourceOptions> ways(2);
  for (data::SourceOptions& way : ways) way.source = dataset;  // the path comes before it
  ways[1].role = data::Role::kTargets;
  return ways;
}

/// One of the ways for each input.
Read of_arrays(const std::string& ending, std::vector<data::SourceOptions> ways) {
  static InputFile file(ending);
  for (data::SourceOptions& way : ways) way.key = "data.inputs";
  return [ways](const std::uint8_t* bytes, std::size_t size) {
    data::SourceOptions options = ways[choose(ways.size(), bytes, size)];
    options.source = file.hold(bytes, size) + options.source;
    read_array(options);
  };
}

/// The datasets of the files in tests/unit/io/files and of the corpus.
std::vector<data::SourceOptions> of_datasets() {
  std::vector<data::SourceOptions> ways;
  for (const char* dataset : {"", ":/f4", ":/gzip", ":/group/inner", ":/group/other"}) {
    for (const data::SourceOptions& way : of_both_roles(dataset)) ways.push_back(way);
  }
  return ways;
}

/// A table has more ways to be read than others: with filled gaps, without a header, as sets of labels.
std::vector<data::SourceOptions> of_tables() {
  std::vector<data::SourceOptions> ways = of_both_roles("");
  ways.resize(5);
  ways[2].table.missing = "mean";
  ways[3].table.header = "no";
  ways[3].table.missing = "indicator";
  ways[4].role = data::Role::kTargets;
  ways[4].labels = data::Labels::kSets;
  return ways;
}

}  // namespace

Read reader(const std::string& name) {
  if (name == "idx") return of_arrays(".idx", of_both_roles(""));
  if (name == "gz") return of_arrays(".idx.gz", of_both_roles(""));
  if (name == "csv") return of_arrays(".csv", of_tables());
  if (name == "npy") return of_arrays(".npy", of_both_roles(""));
  if (name == "hdf5") return of_arrays(".h5", of_datasets());
  return {};
}

}  // namespace nntrain::fuzz
