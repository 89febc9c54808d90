#include "train/data/row_groups.h"

#include <cstring>

#include "core/error.h"

namespace nntrain::train {

RowGroups row_groups(const data::SourceOptions& inputs) {
  const std::vector<std::string> names = data::columns_of_kind(inputs.table, "group");
  if (names.empty()) return nullptr;
  if (names.size() > 1)
    throw InputError("data.columns gives the kind group to \"" + names[0] + "\" and \"" + names[1] +
                     "\"; one column says which rows belong together");
  data::SourceOptions options;
  options.source = inputs.source;
  options.key = inputs.key;
  options.memory = inputs.memory;
  options.of_one_table = true;
  options.table = inputs.table;
  options.table.columns = "\"" + names[0] + "\": categorical(indices)";
  options.table.missing = "error";
  options.columns = "\"" + names[0] + "\"";
  return [options] {
    const std::unique_ptr<data::ArraySource> source = data::open_array(options);
    std::vector<float> values(static_cast<std::size_t>(source->info().rows));
    source->read(std::as_writable_bytes(std::span(values)));
    return std::vector<std::int64_t>(values.begin(), values.end());
  };
}

}  // namespace nntrain::train
