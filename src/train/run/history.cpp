#include "train/run/history.h"

#include <algorithm>
#include <cmath>

namespace nntrain::train {

void append_row(checkpoint::History& history, const metrics::Logs& row) {
  std::size_t done = 0;
  for (const auto& [name, column] : history.columns) done = std::max(done, column.size());
  for (const auto& [name, value] : row.values) {
    const bool known = std::any_of(history.columns.begin(), history.columns.end(),
                                   [&, key = name](const auto& column) { return column.first == key; });
    if (!known) history.columns.emplace_back(name, std::vector<double>(done, std::nan("")));
  }
  for (auto& [name, column] : history.columns) column.push_back(row.find(name).value_or(std::nan("")));
}

}  // namespace nntrain::train
