// Tables as sources of samples. They are parsed once, while they are opened: only then their rows are known.

#include "core/error.h"
#include "data/formats.h"
#include "data/tables/table_reader.h"

namespace nntrain::data {

std::unique_ptr<ArraySource> open_tables(std::size_t files,
                                         const std::function<io::InputFile(std::size_t)>& open,
                                         const SourceOptions& options) {
  constexpr std::size_t kPeeked = std::size_t{64} << 10;
  TableReader reader(options);
  for (std::size_t i = 0; i < files; ++i) {
    io::InputFile file = open(i);
    const std::span<const std::byte> start = file.peek();
    const Dialect dialect = find_dialect(start, start.size() < kPeeked, options.table, file.name());
    reader.add(stream_of(std::move(file)), dialect);
  }
  return reader.finish();
}

}  // namespace nntrain::data
