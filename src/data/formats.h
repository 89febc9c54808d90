#pragma once
// Private to src/data: one opener a file format, and what they share.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/array_source.h"
#include "io/input_file.h"

namespace nntrain::data {

std::unique_ptr<ArraySource> open_idx(io::InputFile file);
std::unique_ptr<ArraySource> open_npy(io::InputFile file);
/// Of the places in all gzip files of a source.
constexpr std::int64_t kPointBytes = std::int64_t{64} << 20;
/// One table: a file, or several one after the other.
std::unique_ptr<ArraySource> open_tables(const std::vector<std::string>& paths, const SourceOptions& options);
/// "0.5 1:2.5 3:1": target, then index:value from 1; what is absent is 0. Does text begin so?
bool is_svmlight(std::string_view start);
std::unique_ptr<ArraySource> open_svmlight(io::InputFile file, const SourceOptions& options);
/// Throws InputError for files that are no samples at all, naming what they are: HTML pages, git-lfs
/// pointers, spreadsheets and the like.
void refuse_strangers(const std::string& name, std::string_view start);
/// `dataset` empty: the only one in the root.
std::unique_ptr<ArraySource> open_hdf5(const std::string& path, const std::string& dataset,
                                       const SourceOptions& options);

/// What a file is, its content says.
enum class FileFormat { kHdf5, kNpy, kIdx, kSvmlight, kTable };
const char* format_name(FileFormat format);
/// InputError when options.text is wanted; `format`: what `name` is instead of a table.
void refuse_numbers(const SourceOptions& options, const std::string& name, const char* format);
/// `file` is that of `source`, nothing read of it. InputError: it is none of them.
struct SourcePath;
FileFormat format_of(io::InputFile& file, const SourcePath& source);
/// The file that options.source names, a single one.
std::unique_ptr<ArraySource> open_single(const SourceOptions& options);
/// The rows of all `sources`, in their order; options.source is what the user wrote for them.
std::unique_ptr<ArraySource> open_several(const std::vector<std::string>& sources,
                                          const SourceOptions& options);
/// The same of files that hold arrays; each is open only while its header or its rows are read, and some of
/// them between reads of rows. A file that changed since it was opened first is an InputError.
std::unique_ptr<ArraySource> make_several_arrays(std::vector<SourceOptions> files, const std::string& key);

/// A source's path and dataset: "a.h5:/x/kernel:0" splits at the first colon behind an existing file.
struct SourcePath {
  std::string path;
  std::string dataset;
};
SourcePath split_source(const std::string& source);

/// Splits extents (samples first) into rows and sample shape and sets the element; throws InputError, naming
/// `name`, for no axis, no rows, empty samples and arrays beyond 63 bits.
ArrayInfo make_info(const std::string& name, const std::vector<std::int64_t>& extents, Element element);

/// Throws InputError for the first NaN or Inf with row and value index; `name` as in messages. `memory`
/// begins with row `first_row`.
void check_finite(const ArrayInfo& info, std::span<const std::byte> memory, const std::string& name,
                  std::int64_t first_row = 0);
/// RuntimeError when rows [first, first + count) are not there, or `memory` is not for them.
void check_rows(const ArrayInfo& info, std::int64_t first, std::int64_t count,
                std::span<const std::byte> memory);

/// RuntimeError when `memory` is not info.bytes() long.
void check_memory(const ArrayInfo& info, std::span<const std::byte> memory);

/// An array of SourceOptions::memory.
std::unique_ptr<ArraySource> open_memory(const SourceOptions& options);

}  // namespace nntrain::data
