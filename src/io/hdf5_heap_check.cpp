// Global heaps ("GCOL") hold variable-length texts. libhdf5 1.10 walks through a heap without looking at the
// lengths: an object of length 0 where free space begins (a block of zeros is enough) makes it loop for ever,
// other lengths lead out of its memory. So the heaps are walked here first.
// HDF5 File Format Specification 3.0, III.E "Global Heap"; H5HGcache.c, H5HG__cache_heap_deserialize.
// A text's place in an object says how long it is and which object of which heap it is (III.E, VL reference).
// libhdf5 1.10 takes as much memory as is said there, and copies as much into it as the heap's object holds
// (H5Tconv.c, H5T__conv_vlen; H5HG.c, H5HG_read): so the two are compared before it reads a text.
// A heap also holds the names of the files that a virtual dataset is made of, and libhdf5 1.10 reads them
// without looking for their ends as soon as the dataset's header is opened, to be refused (H5Olayout.c,
// H5O__layout_decode). So a file with such a header is refused as it is.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/error.h"
#include "io/hdf5_call.h"
#include "io/hdf5_raw.h"

namespace nntrain::io {

namespace {

constexpr std::string_view kHeapStart("GCOL\1\0\0\0", 8);
constexpr std::size_t kOverlap = 9;  ///< what is looked for may lie across two blocks
/// A layout message of version 4, class 3 (virtual); the heap's address follows. IV.A.2.i.
constexpr std::string_view kVirtualLayout("\4\3", 2);
constexpr std::size_t kBlockBytes = std::size_t{4} << 20;
constexpr std::uint64_t kHeaderBytes = 16;  // of the heap, and of each object in it (lengths of 8 bytes)

/// Do the objects of the heap at `start` follow one another to its end?
bool is_walkable(const RawFile& file, std::uint64_t start, std::uint64_t file_bytes) {
  char header[kHeaderBytes];
  if (file.read(start, header, sizeof header) < sizeof header) return true;  // libhdf5 finds the end itself
  const std::uint64_t heap_bytes = little_endian(header + 8, 8);
  if (heap_bytes < kHeaderBytes || heap_bytes > file_bytes - start) return true;
  std::uint64_t at = kHeaderBytes;
  while (heap_bytes - at >= kHeaderBytes) {
    if (file.read(start + at, header, sizeof header) < sizeof header) return true;
    const std::uint64_t index = little_endian(header, 2);
    const std::uint64_t length = little_endian(header + 8, 8);
    if (length > heap_bytes - at) return false;
    const std::uint64_t step = index == 0 ? length : kHeaderBytes + (length + 7) / 8 * 8;
    if (step < kHeaderBytes || step > heap_bytes - at) return false;
    at += step;
  }
  return true;
}

/// Does a virtual dataset's layout begin at `at` of `block`? Its next eight bytes say where a heap is.
bool is_virtual_layout(const RawFile& file, std::string_view block, std::size_t at,
                       std::uint64_t file_bytes) {
  constexpr std::size_t kAddressBytes = 8;
  if (block.size() - at < kVirtualLayout.size() + kAddressBytes) return false;
  const std::uint64_t heap = little_endian(block.data() + at + kVirtualLayout.size(), kAddressBytes);
  char start[4];
  return heap < file_bytes && file.read(heap, start, sizeof start) == sizeof start &&
         std::string_view(start, sizeof start) == kHeapStart.substr(0, sizeof start);
}

/// How long the objects of a file's heaps are.
class HeapObjects {
 public:
  HeapObjects(const RawFile& file, std::uint64_t file_bytes)
      : file_(file), file_bytes_(file_bytes), unread_(file_bytes) {}

  /// -1: there is no such object, or no heap at `start`.
  std::int64_t length(std::uint64_t start, std::uint64_t index) {
    const auto [heap, is_new] = heaps_.try_emplace(start);
    if (is_new) heap->second = read(start);
    const Objects& objects = heap->second;
    const auto after = std::upper_bound(objects.begin(), objects.end(), index,
                                        [](std::uint64_t a, const Object& b) { return a < b.first; });
    const bool found = after != objects.begin() && std::prev(after)->first == index;
    return found ? static_cast<std::int64_t>(std::prev(after)->second) : -1;
  }

 private:
  using Object = std::pair<std::uint64_t, std::uint64_t>;  // index, length
  using Objects = std::vector<Object>;

  /// By index; of two with the same the later one counts, as in libhdf5.
  Objects read(std::uint64_t start) {
    char header[kHeaderBytes];
    if (start > file_bytes_ || file_.read(start, header, sizeof header) < sizeof header) return {};
    const std::uint64_t heap_bytes = little_endian(header + 8, 8);
    if (std::string_view(header, kHeapStart.size()) != kHeapStart || heap_bytes < kHeaderBytes ||
        heap_bytes > file_bytes_ - start || heap_bytes > unread_)
      return {};
    unread_ -= heap_bytes;
    std::vector<char> heap(static_cast<std::size_t>(heap_bytes));
    if (file_.read(start, heap.data(), heap.size()) < heap.size()) return {};
    Objects objects;
    for (std::uint64_t at = kHeaderBytes; heap_bytes - at >= kHeaderBytes;) {
      const std::uint64_t index = little_endian(heap.data() + at, 2);
      const std::uint64_t length = little_endian(heap.data() + at + 8, 8);
      if (length > heap_bytes - at) break;
      const std::uint64_t step = index == 0 ? length : kHeaderBytes + (length + 7) / 8 * 8;
      if (step < kHeaderBytes || step > heap_bytes - at) break;
      if (index != 0) objects.emplace_back(index, length);  // 0: free space
      at += step;
    }
    std::stable_sort(objects.begin(), objects.end(),
                     [](const Object& a, const Object& b) { return a.first < b.first; });
    return objects;
  }

  const RawFile& file_;
  std::uint64_t file_bytes_;
  std::uint64_t unread_;  ///< heaps do not overlap: together they are no longer than the file
  std::map<std::uint64_t, Objects> heaps_;
};

}  // namespace

void check_global_heaps(const detail::Hdf5Context& context) {
  if (!context.reading || context.heaps_checked) return;
  const RawFile file(context.path);
  const auto file_bytes = static_cast<std::uint64_t>(context.file_bytes);
  std::vector<char> block(std::min(kBlockBytes, static_cast<std::size_t>(file_bytes) + 1));
  std::uint64_t begin = 0;
  for (;;) {
    const std::size_t size = file.read(begin, block.data(), block.size());
    const std::string_view text(block.data(), size);
    for (std::size_t at = text.find(kHeapStart); at != std::string_view::npos;
         at = text.find(kHeapStart, at + 1)) {
      if (!is_walkable(file, begin + at, file_bytes)) {
        throw InputError(fmt::format("\"{}\" is damaged: its heap of texts at byte {} cannot be read",
                                     context.file, begin + at));
      }
    }
    for (std::size_t at = text.find(kVirtualLayout); at != std::string_view::npos;
         at = text.find(kVirtualLayout, at + 1)) {
      if (is_virtual_layout(file, text, at, file_bytes)) {
        throw InputError(fmt::format(
            "\"{}\" holds a virtual dataset, which is refused; copy it with h5repack", context.file));
      }
    }
    if (size < block.size()) break;
    begin += size - kOverlap;
  }
  context.heaps_checked = true;
}

void check_texts(const detail::Hdf5Context& context, std::span<const char> references, std::size_t width,
                 const std::string& what) {
  constexpr std::size_t kLengthBytes = 4, kIndexBytes = 4;
  const std::size_t address_bytes = width - kLengthBytes - kIndexBytes;
  const RawFile file(context.path);
  const auto file_bytes = static_cast<std::uint64_t>(context.file_bytes);
  const std::uint64_t base = file.base_address();
  HeapObjects objects(file, file_bytes);
  std::uint64_t left = file_bytes;
  for (std::size_t at = 0; at + width <= references.size(); at += width) {
    const char* const reference = references.data() + at;
    const std::uint64_t length = little_endian(reference, kLengthBytes);
    const std::uint64_t address =
        little_endian(reference + kLengthBytes, std::min<std::size_t>(address_bytes, 8));
    const std::uint64_t index = little_endian(reference + kLengthBytes + address_bytes, kIndexBytes);
    if (address == 0) continue;  // no text: libhdf5 gives none, whatever the length
    const std::int64_t stored = address > file_bytes ? -1 : objects.length(base + address, index);
    if (stored < 0) {
      fail(context, fmt::format("{}: it claims a text of {} bytes at byte {}, where there is none", what,
                                length, address));
    }
    if (static_cast<std::uint64_t>(stored) != length) {
      fail(context,
           fmt::format("{}: it claims a text of {} bytes, but {} bytes are stored", what, length, stored));
    }
    // Texts do not share their bytes: a small file could claim much memory.
    if (length > left) {
      fail(context, fmt::format("{}: it claims texts of more bytes than the file's {}", what, file_bytes));
    }
    left -= length;
  }
}

}  // namespace nntrain::io
