#pragma once
// The two small tables of these examples, in memory.

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "nntrain/nntrain.h"

struct Table {
  nntrain::Array x;  ///< (rows, numbers of a row)
  nntrain::Array y;  ///< (rows): the last column, texts as class indices in order of appearance
  std::vector<std::string> classes;  ///< their texts
};

/// A CSV file with a header; all columns but the last are inputs.
inline Table read_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw nntrain::InputError("cannot read " + path);
  Table table;
  std::map<std::string, int> numbers;
  std::string line, cell;
  std::getline(file, line);
  std::int64_t rows = 0, width = 0;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::vector<std::string> row;
    while (std::getline(cells, cell, ',')) row.push_back(cell);
    width = static_cast<std::int64_t>(row.size()) - 1;
    for (std::int64_t i = 0; i < width; ++i)
      table.x.values.push_back(std::stof(row[static_cast<std::size_t>(i)]));
    const auto [entry, added] = numbers.emplace(row.back(), static_cast<int>(numbers.size()));
    if (added) table.classes.push_back(row.back());
    table.y.values.push_back(static_cast<float>(entry->second));
    ++rows;
  }
  table.x.shape = {rows, width};
  table.y.shape = {rows};
  return table;
}
