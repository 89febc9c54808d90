#pragma once
// Files of samples: IDX, CSV, HDF5, NPY. The first axis counts samples. Every file is untrusted: sizes are
// checked against the file before memory is taken, and errors name file and row.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/shape.h"
#include "core/text_codes.h"

namespace nntrain::io {
class GzipPoints;
}

namespace nntrain::data {

/// How samples lie in memory. uint8 stays uint8 until a batch is made; everything else becomes float32.
enum class Element { kUint8, kFloat32 };
std::size_t element_bytes(Element element);

struct ArrayInfo {
  Element element = Element::kFloat32;
  std::int64_t rows = 0;
  Shape sample;                          ///< one sample, e.g. (28, 28); () for a plain vector of values
  std::vector<std::string> class_names;  ///< of a text column used as target, sorted; else empty
  std::vector<std::string> columns;      ///< tables: names of the values of a sample; else empty
  /// Tables: how the columns were read, so that evaluate and predict read other files in the same way; null
  /// for arrays.
  Json table;
  std::vector<std::string> vocabulary;  ///< learned of text inputs, where SourceOptions::text asks for it
  std::vector<std::string> notes;       ///< what a user should know of how the file was read
  std::int64_t chunk_rows = 0;          ///< rows that the file keeps as one piece; 0: it has no pieces
  std::vector<std::int64_t> files;      ///< rows at which the second file of several begins, the third, ...
  std::int64_t bytes() const;           ///< rows * sample.size() * element_bytes
};

/// A column that is kept as text beside the samples: `data.columns = NAME: id`.
struct TextColumn {
  std::string name;
  std::vector<std::string> cells;  ///< one a row of the file
};

enum class Role { kInputs, kTargets, kWeights };

/// How tables are read, as the keys data.* say it; "" and "auto": found where clear.
struct TableOptions {
  std::string header = "auto";  ///< auto, yes, no, skip N
  std::string delimiter, quote, decimal, thousands, comment, encoding;
  std::string columns;  ///< NAME: kind, ...
  std::string missing =
      "error";  ///< error, mean, median, most_frequent, constant(v), indicator; NAME: one of these
};

/// Does data.columns give a column this part ("target", "weight")? InputError: it is no NAME: kind, ...
bool has_part(const TableOptions& table, std::string_view kind);
/// The columns to which data.columns gives this kind, as written there.
std::vector<std::string> columns_of_kind(const TableOptions& table, std::string_view kind);

/// What text in the target column may become.
enum class Labels {
  kRefused,  ///< nothing: the loss wants numbers
  kClasses,  ///< one class a row
  kSets      ///< any number of labels a row, "garden;lift"; columns of 0 and 1
};

/// An array of the caller's memory: float32, row-major, the first axis counts samples.
struct MemoryArray {
  const float* values = nullptr;
  std::vector<std::int64_t> shape;
};
/// By the name that stands for it where a source is named.
using MemoryArrays = std::map<std::string, MemoryArray>;

struct SourceOptions {
  std::string source;  ///< "PATH" or "PATH:DATASET"
  Role role = Role::kInputs;
  std::string columns;          ///< tables: names and Python slices, comma separated; empty: see open_array
  std::string exclude_columns;  ///< table inputs: the target columns, when both come from one file
  std::string key;              ///< configuration key for messages, "data.inputs"
  std::vector<std::string> class_names;  ///< targets: names already known (validation, test); text not
                                         ///< among them is an error
  TableOptions table;
  bool of_one_table = true;  ///< inputs and targets are columns of one file
  Labels labels = Labels::kClasses;
  std::string wants_numbers;  ///< Labels::kRefused: who does, "compile.loss = MeanSquaredError"
  /// ArrayInfo::table of the training inputs or targets: columns are matched by name. Null while training.
  Json training;
  /// Which rows train, for the statistics of missing values (rows -> one flag a row). Empty: all.
  std::function<std::vector<bool>(std::int64_t)> training_rows;
  bool keep_ids = false;  ///< ArraySource::ids() is wanted
  /// The model takes text: all input columns become codes of their words. Its vocabulary, if it has none, is
  /// learned from the training_rows.
  std::optional<TextCodes> text;
  /// Rows may be read piece by piece while a run goes on: files that change meanwhile are errors.
  bool by_rows = false;
  /// Tables that are read by_rows: the most memory for their values. Of larger ones the rows are parsed again
  /// whenever they are read.
  std::int64_t most_bytes = std::numeric_limits<std::int64_t>::max();
  /// Of one gzip file, where it is opened again and again: what seeks in it need.
  std::shared_ptr<io::GzipPoints> points;
  const MemoryArrays* memory = nullptr;  ///< when set, sources are names in it, not files
};

/// The files that a source means, each as `PATH` or `PATH:DATASET`: itself, or the items of a list (`a.npy,
/// b.npy`, brackets and quotes as in Python), or those that a pattern (`data/part*.csv`, `train-*.h5:/x`)
/// matches, in natural order: 2 before 10. What is there under the whole text is no list and no pattern.
/// InputError, naming `key`: a pattern that nothing matches, a file that is named twice.
std::vector<std::string> list_sources(const std::string& source, const std::string& key);
/// The paths of these files, for whoever must not write over them; empty for what cannot be listed.
std::vector<std::string> files_of(const std::string& source);

/// An opened file: its header is read and checked, its samples not yet.
class ArraySource {
 public:
  virtual ~ArraySource() = default;
  virtual const ArrayInfo& info() const = 0;
  /// Reads all samples into `memory` (info().bytes()), row-major, element type as info(). Checks every
  /// value: NaN and Inf throw InputError with row and column. Local.
  virtual void read(std::span<std::byte> memory) = 0;
  /// Can any rows be read alone, at about the price of these rows? HDF5, IDX, NPY (C order), and tables that
  /// are opened by_rows.
  virtual bool has_rows() const { return false; }
  /// Reads rows [first, first + count) into `memory`, checked as by read(), in any order and again; where
  /// has_rows(). Not after read(). By one thread at a time.
  virtual void read_rows(std::int64_t first, std::int64_t count, std::span<std::byte> memory);
  /// The columns that data.columns calls ids, where SourceOptions::keep_ids asked for them.
  virtual const std::vector<TextColumn>& ids() const;
};

/// Opens by content, not by name: gzip magic, IDX magic, HDF5 signature, NPY magic, else CSV. Throws
/// InputError naming key, file and, where there is one, line and column.
/// * IDX: all element types. * NPY: versions 1 to 3, bool, integers and floats of any byte order, C or
/// Fortran order. * HDF5: numbers of any width; links out of the file are refused; without :DATASET the file
/// must hold exactly one in its root. * Tables (docs/data.md): CSV and its kin. Without `columns` inputs take
/// all columns but exclude_columns, those that data.columns gives another part, and indices; targets all
/// columns. Text in the only target column becomes indices into the sorted labels (or into
/// options.class_names); one column alone makes samples of shape () for targets and weights, (columns,) for
/// inputs. Lines of a text file are counted from 1, rows of arrays from 0.
std::unique_ptr<ArraySource> open_array(const SourceOptions& options);

/// Rows of a block where data.block_rows is not given, from the layout alone: whole chunks of the file, else
/// a power of two; as near to 1 MiB as they come without more.
std::int64_t block_rows_of(const ArrayInfo& info);

/// Rows of the data set `rows` at which a block begins in any case, so that blocks are whole chunks of the
/// file: where files begin that do not fit into the block before, and at the first whole chunk; counted from
/// `rows.begin`. Empty for arrays that have no chunks.
struct RowRange;
std::vector<std::int64_t> block_cuts(const ArrayInfo& info, const RowRange& rows, std::int64_t block_rows);

/// A Python slice "5000:", ":5000", "-100:", "10:20" (no step) or "" (all) of `rows` rows. An out-of-range
/// bound is clipped as in Python. Throws InputError for other text, naming `key`.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t count() const { return end - begin; }
};
RowRange parse_row_slice(std::string_view text, std::int64_t rows, std::string_view key);

/// A data set's fingerprint: SHA-256 (hex) of the text "uint8 (60000, 28, 28)\n" (type and whole shape as
/// Python writes it) followed by the values, row-major, little-endian.
std::string fingerprint(const ArrayInfo& info, std::span<const std::byte> memory);
/// Reads rows [first, first + count) into memory, as ArraySource::read_rows.
using ReadRows = std::function<void(std::int64_t first, std::int64_t count, std::span<std::byte> memory)>;
/// fingerprint(), without an array in memory: all rows are read, in order.
std::string fingerprint(const ArrayInfo& info, const ReadRows& read);
/// SHA-256 of the same text followed by some rows: 32 times 16, equally spaced, the first and the last among
/// them; all rows where there are no more than 512.
std::string sampled_fingerprint(const ArrayInfo& info, const ReadRows& read);

}  // namespace nntrain::data
