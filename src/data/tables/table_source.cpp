// Tables as sources of samples. They are parsed once while they are opened: only then their rows and kinds
// are known. What then stays in memory: their values, or the places at which rows begin.

#include <fmt/format.h>

#include "core/error.h"
#include "data/file_state.h"
#include "data/formats.h"
#include "data/tables/number_reading.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

namespace {

io::InputFile open_file(const std::string& path, const std::string& key,
                        const std::shared_ptr<io::GzipPoints>& points) {
  io::InputFile file(path, key);
  file.use_points(points);
  return file;
}

FileAgain again(const std::string& path, const std::string& key,
                const std::shared_ptr<io::GzipPoints>& points) {
  const FileState state = state_of(path);
  const auto check = [=] { check_unchanged(path, state, fmt::format("{} \"{}\"", key, path)); };
  const auto open = [=](std::int64_t begin, std::int64_t end) {
    check();
    return stream_of(open_file(path, key, points), begin, end);
  };
  return {open, check};
}

void add_files(TableReader& reader, const std::vector<std::string>& paths, const SourceOptions& options) {
  constexpr std::size_t kPeeked = std::size_t{64} << 10;
  const auto files = static_cast<std::int64_t>(paths.size());
  const FindNumbers numbers = numbers_of(options, paths);
  for (const std::string& path : paths) {
    const auto points = std::make_shared<io::GzipPoints>(kPointBytes / files);
    FileAgain more = options.by_rows ? again(path, options.key, points) : FileAgain();
    io::InputFile file = open_file(path, options.key, points);
    if (options.by_rows) file.collect_points();
    const std::span<const std::byte> start = file.peek();
    const Dialect dialect = find_dialect(start, start.size() < kPeeked, options.table, file.name(), numbers);
    reader.add(stream_of(std::move(file)), dialect, {}, std::move(more));
  }
}

}  // namespace

std::unique_ptr<ArraySource> open_tables(const std::vector<std::string>& paths, const SourceOptions& wanted) {
  SourceOptions options = wanted;
  std::string kinds;
  if (options.role == Role::kInputs && options.training.is_null() && !options.text &&
      wishes_found_kinds(options.table.columns)) {
    SourceOptions once = options;
    once.by_rows = false;
    TableReader look(once);
    look.look_for_kinds();
    add_files(look, paths, once);
    options.table.columns += look.found_kinds();
    kinds = look.kinds_note();
  }
  TableReader reader(options);
  if (!kinds.empty()) reader.add_note(kinds);
  add_files(reader, paths, options);
  return reader.finish();
}

}  // namespace nntrain::data
