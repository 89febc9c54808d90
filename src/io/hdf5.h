#pragma once
// HDF5 files (HDF5 File Format Specification 3.0; libhdf5 1.10 or newer). Every C call is wrapped once, in
// src/io; nothing else includes <hdf5.h>. Local. libhdf5 is not thread-safe, so one lock lets one thread at a
// time into it (hdf5_call.h): different files, and datasets that are read, may be used by different threads.
//
// A file opened for reading is untrusted: soft links, external links, external storage, virtual datasets,
// user-defined and plug-in filters are refused, and sizes are checked against the file before memory is
// taken. Whatever is wrong with a file that is read throws InputError, whatever fails while writing
// RuntimeError; both name file and object and end with the cause that libhdf5 gives.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/shape.h"
#include "io/atomic_file.h"
#include "io/system.h"

namespace nntrain::io {

namespace detail {
struct Hdf5Io;
class ChunkLengths;
struct PlainChunks;

/// Owns one HDF5 identifier (hid_t is 64 bits); < 0: none.
class Hdf5Handle {
 public:
  Hdf5Handle() = default;
  explicit Hdf5Handle(std::int64_t id) : id_(id) {}
  ~Hdf5Handle() { release(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(other.id_) { other.id_ = -1; }
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  std::int64_t id() const { return id_; }
  void release() noexcept;  ///< gives the identifier back; errors are ignored
  void forget() noexcept { id_ = -1; }

 private:
  std::int64_t id_ = -1;
};

/// What every object of a file needs for its checks and messages.
struct Hdf5Context {
  std::string file;             ///< path as the user gave it
  std::shared_ptr<Hdf5Io> io;   ///< its way to the disk and what failed there
  std::string path;             ///< where it is read from
  std::int64_t file_bytes = 0;  ///< size on disk when opened for reading
  bool reading = true;
  mutable bool heaps_checked = false;    ///< variable-length texts are safe to read
  mutable std::int64_t taken_bytes = 0;  ///< stored ones of the arrays that were read by read_all()
};
}  // namespace detail

/// Element types that datasets are read into and written from.
template <class T>
concept Hdf5Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::int32_t> || std::same_as<T, std::uint8_t>;

enum class Hdf5Type { kInteger, kFloat, kBoolean, kString, kOther };
enum class Hdf5Kind { kMissing, kGroup, kDataset, kOther };

struct Hdf5DatasetInfo {
  Hdf5Type type = Hdf5Type::kOther;  ///< kBoolean: h5py's enum of FALSE and TRUE
  std::size_t element_bytes = 0;     ///< in the file
  bool is_signed = false;            ///< integers only
  Shape shape;                       ///< all axes; rank 0 for a scalar
  std::int64_t chunk_rows = 0;       ///< rows of the first axis in a chunk; 0: not stored in chunks
  std::string type_name() const;     ///< "float32", "uint8", "bool", "string", "compound or other"
};

/// A dataset opened for reading. Keep the file open as long as the dataset.
class Hdf5Dataset {
 public:
  const Hdf5DatasetInfo& info() const { return info_; }
  const std::string& name() const { return name_; }  ///< for messages: `"run.h5" /model_weights/dense/kernel`

  /// Reads all elements, row-major, converted to T (floats to integers are truncated, out-of-range values
  /// clipped: ask info() first). `values` has info().shape.size() elements. InputError for strings,
  /// compounds.
  template <Hdf5Element T>
  void read(std::span<T> values) const;
  /// The same into memory that is made for them. All datasets of an open file together may not hold more than
  /// the file does: InputError for one array under many names, by which a small file would fill the memory.
  template <Hdf5Element T>
  std::vector<T> read_all() const {
    take();
    std::vector<T> values(static_cast<std::size_t>(info_.shape.size()));
    read(std::span<T>(values));
    return values;
  }
  /// Reads rows [first, first + count) of the first axis; rank >= 1.
  template <Hdf5Element T>
  void read_rows(std::int64_t first, std::int64_t count, std::span<T> values) const;

 private:
  friend class Hdf5Group;
  Hdf5Dataset(std::shared_ptr<const detail::Hdf5Context> context, detail::Hdf5Handle handle,
              std::string name);
  void check_storage();
  void take() const;
  void check_numeric(std::int64_t elements, std::int64_t given) const;
  void read_memory(std::int64_t memory_type, std::int64_t first, std::int64_t count, void* values) const;
  void read_elements(std::int64_t memory_type, std::int64_t first, std::int64_t count, void* values) const;
  bool is_inflated_here(std::int64_t memory_type) const;  ///< and not by libhdf5

  std::shared_ptr<const detail::Hdf5Context> context_;
  detail::Hdf5Handle handle_;
  std::string name_;
  Hdf5DatasetInfo info_;
  std::int64_t stored_bytes_ = 0;  ///< at least what compression can make of its elements
  mutable bool taken_ = false;     ///< by read_all()
  bool contiguous_ = false;
  std::shared_ptr<const detail::PlainChunks> chunks_;  ///< of gzip, where they are inflated without libhdf5
  std::shared_ptr<detail::ChunkLengths> lengths_;      ///< of chunks, looked at before libhdf5 reads them
};

/// How a dataset lies in the file that is written some rows at a time.
struct Hdf5Layout {
  std::int64_t chunk_rows = 0;  ///< rows of a chunk; 0: no chunks
  int gzip = 0;                 ///< level 1 to 9 of chunks whose bytes are shuffled before; 0: none
  bool checksum = false;        ///< Fletcher 32 of every chunk
  bool grows = false;           ///< of chunks: rows that are written behind the last make it longer
};

/// A dataset whose shape is known and whose rows are written by and by, in any order. Keep the file open.
class Hdf5Rows {
 public:
  /// Rows [first, first + values / row) of the first axis; T as it was created with.
  template <Hdf5Element T>
  void write(std::int64_t first, std::span<const T> values);
  void close();  ///< RuntimeError when something could not be written

 private:
  friend class Hdf5Group;
  Hdf5Rows(std::shared_ptr<const detail::Hdf5Context> context, detail::Hdf5Handle handle, Shape shape,
           std::string what, bool grows)
      : context_(std::move(context)),
        handle_(std::move(handle)),
        shape_(std::move(shape)),
        what_(std::move(what)),
        grows_(grows) {}
  void grow(std::int64_t rows);
  void write_memory(std::int64_t first, std::int64_t given, std::int64_t memory_type, const void* values);

  std::shared_ptr<const detail::Hdf5Context> context_;
  detail::Hdf5Handle handle_;
  Shape shape_;
  std::string what_;  ///< begins messages
  bool grows_ = false;
};

/// A group. Paths are relative to it and may contain '/'. Attributes are the group's own.
class Hdf5Group {
 public:
  const std::string& name() const { return name_; }  ///< for messages: `"run.h5" /model_weights`
  std::uint64_t address() const;                     ///< in the file: the same for all names of one group

  // --- children
  /// Names of all links in this group, sorted by name.
  std::vector<std::string> children() const;
  /// What `path` leads to; links of a kind that is refused count as kOther.
  Hdf5Kind kind(std::string_view path) const;
  bool has(std::string_view path) const { return kind(path) != Hdf5Kind::kMissing; }
  /// InputError when `path` is missing (the message lists what is there), refused or of another kind.
  Hdf5Group group(std::string_view path) const;
  Hdf5Dataset dataset(std::string_view path) const;

  // --- attributes, reading; InputError when missing or of another type
  bool has_attribute(const std::string& attribute) const;
  std::vector<std::string> attributes() const;  ///< names, sorted
  /// A scalar (or one-element) string, fixed or variable length.
  std::string read_text(const std::string& attribute) const;
  /// Integer, enum (bool) or a float without a fraction.
  std::int64_t read_integer(const std::string& attribute) const;
  double read_number(const std::string& attribute) const;
  bool read_boolean(const std::string& attribute) const { return read_integer(attribute) != 0; }
  /// 1-D array of strings, fixed or variable length; `attribute`, or Keras' pieces attribute0, attribute1,
  /// ...
  std::vector<std::string> read_texts(const std::string& attribute) const;
  /// Is `attribute` or its first piece there?
  bool has_texts(const std::string& attribute) const {
    return has_attribute(attribute) || has_attribute(attribute + "0");
  }

  // --- writing; RuntimeError. Missing groups on the way are made.
  Hdf5Group create_group(std::string_view path);  ///< opens it when it is there already
  /// A contiguous dataset of little-endian T (float32, float64, int64, int32, uint8).
  template <Hdf5Element T>
  void write_dataset(std::string_view path, const Shape& shape, std::span<const T> values);
  template <Hdf5Element T>
  void write_dataset(std::string_view path, const Shape& shape, const std::vector<T>& values) {
    write_dataset(path, shape, std::span<const T>(values));
  }
  /// A dataset of little-endian T to be filled row by row.
  template <Hdf5Element T>
  Hdf5Rows create_rows(std::string_view path, const Shape& shape, const Hdf5Layout& layout = {});
  /// Scalar, variable-length UTF-8: any length.
  void write_attribute(const std::string& attribute, std::string_view text);
  void write_attribute(const std::string& attribute, const char* text) {
    write_attribute(attribute, std::string_view(text));
  }
  void write_attribute(const std::string& attribute, const std::string& text) {
    write_attribute(attribute, std::string_view(text));
  }
  /// bool as h5py's enum, other integers as int64 (a uint64 comes back by a cast of read_integer()).
  template <std::integral T>
  void write_attribute(const std::string& attribute, T value) {
    if constexpr (std::same_as<T, bool>) {
      write_boolean(attribute, value);
    } else {
      write_integer(attribute, static_cast<std::int64_t>(value));
    }
  }
  template <std::floating_point T>
  void write_attribute(const std::string& attribute, T value) {
    write_number(attribute, static_cast<double>(value));
  }
  /// 1-D array of fixed-length UTF-8 strings; above 64512 bytes in pieces attribute0, attribute1, ..., as
  /// Keras.
  void write_attribute(const std::string& attribute, const std::vector<std::string>& texts);

 private:
  friend class Hdf5File;
  Hdf5Group(std::shared_ptr<const detail::Hdf5Context> context, detail::Hdf5Handle handle, std::string path);
  std::string name_of(std::string_view path) const;
  void check_header() const;
  detail::Hdf5Handle open_attribute(const std::string& attribute) const;
  std::vector<std::string> read_strings(const std::string& attribute) const;
  void read_scalar(const std::string& attribute, std::int64_t memory_type, void* value) const;
  void create_parent(std::string_view path);
  void write_boolean(const std::string& attribute, bool value);
  void write_integer(const std::string& attribute, std::int64_t value);
  void write_number(const std::string& attribute, double value);
  void write_strings(const std::string& attribute, std::span<const std::string> texts, std::size_t width);
  void write_memory(std::string_view path, const Shape& shape, std::int64_t file_type,
                    std::int64_t memory_type, std::int64_t given, const void* values);
  Hdf5Rows create_dataset(std::string_view path, const Shape& shape, std::int64_t file_type,
                          const Hdf5Layout& layout);

  std::shared_ptr<const detail::Hdf5Context> context_;
  detail::Hdf5Handle handle_;
  std::string path_;  ///< inside the file, "/" or "/a/b"
  std::string name_;
  mutable bool header_checked_ = false;  ///< attributes are safe to read
};

/// A file. Closing it invalidates every group and dataset of it.
class Hdf5File {
 public:
  /// Read-only, untrusted. InputError: missing, a directory, not HDF5, truncated.
  /// RuntimeError: the disk fails to give it back (EIO), here and in every later call.
  /// `shown`: how messages name it, when its path would say nothing.
  static Hdf5File open(const std::string& path, const std::string& shown = "",
                       System& system = System::posix());
  /// A new file (an old one of that name is emptied) that HDF5 >= 1.8 reads.
  static Hdf5File create(const std::string& path, System& system = System::posix());
  /// In the temporary file of `file`, which must live longer and whose name stands in messages. With
  /// `expected_bytes` > 0 the room is reserved first: a full disk throws WriteError with both numbers before
  /// anything is written.
  static Hdf5File create(AtomicFile& file, std::int64_t expected_bytes = 0);
  /// Does `path` begin with HDF5's signature (at byte 0, 512, 1024, ...)? False when it cannot be read.
  static bool is_hdf5(const std::string& path);

  Hdf5File(Hdf5File&&) noexcept = default;
  Hdf5File& operator=(Hdf5File&&) noexcept = default;
  ~Hdf5File() = default;  ///< closes without checks: call close() after writing

  Hdf5Group root() const;
  const std::string& path() const { return context_->file; }
  /// Writes everything and closes; WriteError when the system could not take it, now or in an earlier call.
  void close();

 private:
  static Hdf5File create(const std::string& path, const std::string& shown, System& system);
  Hdf5File(std::shared_ptr<const detail::Hdf5Context> context, detail::Hdf5Handle handle);
  std::shared_ptr<const detail::Hdf5Context> context_;
  detail::Hdf5Handle handle_;
};

/// libhdf5's version, "1.10.8".
std::string hdf5_version();

}  // namespace nntrain::io
