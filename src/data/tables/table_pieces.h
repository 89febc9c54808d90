#pragma once
// A table whose rows several processes parse together, each some pieces of the text: for converting large
// ones. Only what a cell says alone can be known so; other tables are read as a whole.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/array_source.h"

namespace nntrain::data {

class TablePieces {
 public:
  virtual ~TablePieces() = default;

  /// Bytes of the rows of all files.
  virtual std::int64_t bytes() const = 0;
  /// Rows that begin in bytes [begin, end) of these.
  struct Piece {
    std::int64_t begin = 0, end = 0;  ///< where its first record begins, and the first behind it
    std::vector<float> values;        ///< (rows, inputs + targets)
  };
  /// Right if a record begins at `begin` of the piece: if it is the `end` of the piece before, or 0.
  /// InputError: a cell that is no number, or a piece that does not begin where it seems to.
  virtual Piece read(std::int64_t begin, std::int64_t end) = 0;
  /// Of inputs and targets, without rows. The targets' sample is empty when there are none.
  virtual const ArrayInfo& inputs() const = 0;
  virtual const ArrayInfo& targets() const = 0;
  /// How the table was read, and advice.
  virtual std::vector<std::string> notes(std::int64_t rows) const = 0;
};

/// Null: these files have to be read as a whole. `targets`: columns of the same files, or null.
std::unique_ptr<TablePieces> open_pieces(const SourceOptions& inputs, const SourceOptions* targets);

}  // namespace nntrain::data
