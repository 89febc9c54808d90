#pragma once
// A dataset of convert: rows come by and by, whole chunks are written. The file's bytes do not depend on how
// the rows came.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/column_statistics.h"
#include "data/array_source.h"
#include "io/hdf5.h"

namespace nntrain::cli {

class ConvertedRows {
 public:
  /// `info`: element and sample, names of columns and classes; its rows are not looked at. `gzip`: level, or
  /// 0.
  ConvertedRows(io::Hdf5Group& root, std::string name, data::ArrayInfo info, int gzip);
  /// Any number of whole rows.
  void add(std::span<const std::byte> rows);
  /// After the last row.
  void close();
  std::int64_t rows() const { return rows_; }

 private:
  void write(std::span<const std::byte> rows);
  void write_about();
  template <class T>
  void write_as(std::span<const std::byte> rows);

  io::Hdf5Group& root_;
  std::string name_;
  data::ArrayInfo info_;
  int gzip_;
  std::size_t row_bytes_;
  std::int64_t chunk_rows_, rows_ = 0;
  std::vector<std::byte> waiting_;  ///< less than a chunk
  std::optional<io::Hdf5Rows> dataset_;
  std::optional<ColumnStatistics> statistics_;  ///< of a table's columns
};

}  // namespace nntrain::cli
