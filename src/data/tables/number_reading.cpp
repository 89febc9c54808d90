#include "data/tables/number_reading.h"

#include <fmt/format.h>

#include "core/error.h"
#include "io/input_file.h"

namespace nntrain::data {

namespace {

std::optional<KnownNumbers> of_training(const Json& training) {
  if (!training.is_object() || !training.contains("numbers")) return std::nullopt;
  const auto mark = [&](const char* name) {
    const std::string text = training["numbers"].value(name, "");
    return text.empty() ? '\0' : text.front();
  };
  return KnownNumbers{{mark("decimal"), mark("thousands")}, "the training"};
}

/// The first file that tells alone.
std::optional<KnownNumbers> of_files(const std::vector<std::string>& paths, const SourceOptions& options) {
  constexpr std::size_t kPeeked = std::size_t{64} << 10;
  for (const std::string& path : paths) {
    try {
      io::InputFile file(path, options.key);
      const std::span<const std::byte> start = file.peek();
      const Dialect dialect = find_dialect(start, start.size() < kPeeked, options.table, file.name());
      if (dialect.numbers_known) return KnownNumbers{dialect.numbers, file.name()};
    } catch (const InputError&) {  // it tells nothing; what is wrong with it is said when its turn comes
    }
  }
  return std::nullopt;
}

}  // namespace

FindNumbers numbers_of(const SourceOptions& options, std::vector<std::string> paths) {
  struct Found {
    bool looked = false;
    std::optional<KnownNumbers> numbers;
  };
  const auto found = std::make_shared<Found>();
  found->numbers = of_training(options.training);
  found->looked = found->numbers || paths.size() < 2;  // a file alone says itself what it tells
  return [found, paths = std::move(paths), options] {
    if (!found->looked) found->numbers = of_files(paths, options);
    found->looked = true;
    return found->numbers;
  };
}

Json describe_numbers(const NumberFormat& numbers) {
  return {{"decimal", std::string(1, numbers.decimal)},
          {"thousands", numbers.thousands == '\0' ? "" : std::string(1, numbers.thousands)}};
}

}  // namespace nntrain::data
