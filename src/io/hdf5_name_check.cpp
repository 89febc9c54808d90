// A group of the oldest format, which h5py still writes by default, keeps its names in a local heap: a B-tree
// leads to nodes of entries, and each entry says where in the heap its name begins. libhdf5 1.10 looks
// whether that is inside of the heap, but reads on to the next NUL, which a damaged heap may not have: from
// behind its memory (H5Gnode.c, H5G__node_iterate; H5Gent.c). It also follows a tree, or the list of a heap's
// free space, that leads back to itself until the stack or the memory is full (H5B.c, H5B_find; H5HLcache.c,
// H5HL__fl_deserialize). So all of it is walked here first. HDF5 File Format Specification 3.0, III.A.1
// "Version 1 B-trees", III.B "Symbol Table Nodes", III.C "Symbol Table Entry", III.D "Local Heaps".

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "io/hdf5_check.h"

namespace nntrain::io {

namespace {

constexpr char kShared[] = "its parts share bytes of the file";

bool begins_with(const std::vector<char>& bytes, std::string_view signature) {
  return std::string_view(bytes.data(), std::min(bytes.size(), signature.size())) == signature;
}

/// Names, each with a NUL at its end, and free space between them.
class LocalHeap {
 public:
  /// What is wrong with it. What is no heap has no names.
  std::string read(std::uint64_t address, RawStructures& file) {
    constexpr std::size_t kPrefix = 8;
    const std::size_t width = file.length_bytes();
    std::vector<char> header, data;
    if (!file.read(address, kPrefix + 2 * width + file.address_bytes(), header)) return kShared;
    if (!begins_with(header, std::string_view("HEAP\0", 5))) return "";
    size_ = number(header, kPrefix, width);
    const std::uint64_t free = number(header, kPrefix + width, width);
    const std::uint64_t begin = number(header, kPrefix + 2 * width, file.address_bytes());
    if (!file.holds(begin, size_)) return fmt::format("its names take {} bytes at byte {}", size_, begin);
    if (!file.read(begin, size_, data)) return kShared;
    if (!free_space_ends(data, free, width)) return "the list of free space between its names has no end";
    const auto last = std::find(data.rbegin(), data.rend(), '\0');
    names_end_ = static_cast<std::uint64_t>(data.rend() - last);
    return "";
  }

  bool is_outside(std::uint64_t offset) const { return offset >= size_; }
  /// Whether a name begins at `offset` and a NUL ends it.
  bool has_name(std::uint64_t offset) const { return offset < names_end_; }

 private:
  /// Each piece of free space says where the next one is, and how long it is itself.
  static bool free_space_ends(RawBytes data, std::uint64_t at, std::size_t width) {
    constexpr std::uint64_t kNone = 1;
    const std::size_t piece = 2 * width;
    for (std::size_t left = data.size() / piece; at != kNone; --left) {
      if (left == 0 || at > data.size() - piece) return false;
      at = number(data, static_cast<std::size_t>(at), width);
    }
    return true;
  }

  std::uint64_t size_ = 0;
  std::uint64_t names_end_ = 0;  ///< behind the last NUL
};

/// A group's B-tree, down to its entries.
class SymbolTable {
 public:
  SymbolTable(RawStructures& file, const LocalHeap& heap)
      : file_(file),
        heap_(heap),
        key_bytes_(file.length_bytes()),
        address_bytes_(file.address_bytes()),
        entry_bytes_(key_bytes_ + address_bytes_ + 2 * kTypeBytes + kScratchBytes) {}

  /// What is wrong below the node at `address`, which lies `level` above the entries; -1: the tree's root.
  std::string node(std::uint64_t address, int level = -1) {
    std::vector<char> bytes;
    const std::size_t before = kPrefix + 2 * address_bytes_;
    if (!file_.read(address, before, bytes)) return kShared;
    if (!begins_with(bytes, std::string_view("TREE\0", 5))) return "";  // libhdf5 refuses it
    const auto height = static_cast<int>(number(bytes, 5, 1));
    if ((level >= 0 && height != level) || !seen_.insert(address).second)
      return "the tree of its names leads back to itself";
    const std::size_t count = number(bytes, 6, 2), step = key_bytes_ + address_bytes_;
    if (!file_.read(address + before, count * step + key_bytes_, bytes)) return kShared;
    std::string damage;
    for (std::size_t i = 0; i <= count && count > 0 && damage.empty(); ++i) {
      // Of names that were taken out of the group one may be left here, which begins in free space.
      const std::uint64_t key = number(bytes, i * step, key_bytes_);
      if (!heap_.is_outside(key) && !heap_.has_name(key)) return no_end(key);
      if (i == count) break;
      const std::uint64_t child = number(bytes, i * step + key_bytes_, address_bytes_);
      damage = height > 0 ? node(child, height - 1) : entries(child);
    }
    return damage;
  }

 private:
  static constexpr std::size_t kPrefix = 8, kTypeBytes = 4, kScratchBytes = 16;

  static std::string no_end(std::uint64_t offset) {
    return fmt::format("a name at byte {} of the heap of its names has no end", offset);
  }

  std::string entries(std::uint64_t address) {
    constexpr std::uint64_t kSoftLink = 2;
    std::vector<char> bytes;
    if (!file_.read(address, kPrefix, bytes)) return kShared;
    if (!begins_with(bytes, "SNOD")) return "";  // libhdf5 refuses it
    const std::size_t count = number(bytes, 6, 2);
    if (!file_.read(address + kPrefix, count * entry_bytes_, bytes)) return kShared;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = i * entry_bytes_, type_at = at + key_bytes_ + address_bytes_;
      const std::uint64_t name = number(bytes, at, key_bytes_);
      if (!heap_.has_name(name)) return no_end(name);
      const std::uint64_t target = number(bytes, type_at + 2 * kTypeBytes, kTypeBytes);
      if (number(bytes, type_at, kTypeBytes) == kSoftLink && !heap_.has_name(target)) return no_end(target);
    }
    return "";
  }

  RawStructures& file_;
  const LocalHeap& heap_;
  std::size_t key_bytes_, address_bytes_, entry_bytes_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

std::string symbol_table_damage(RawBytes message, RawStructures& file) {
  const std::size_t width = file.address_bytes();
  if (message.size() < 2 * width) return "the message about its names is too short";
  LocalHeap heap;
  const std::string damage = heap.read(number(message, width, width), file);
  return damage.empty() ? SymbolTable(file, heap).node(number(message, 0, width)) : damage;
}

std::string external_files_damage(RawBytes message, RawStructures& file) {
  constexpr std::size_t kCountAt = 6, kHeapAt = 8;
  const std::size_t width = file.length_bytes(), first = kHeapAt + file.address_bytes();
  const std::size_t count = number(message, kCountAt, 2);
  if (message.size() < first + count * 3 * width) return "the list of the files that hold it is too short";
  LocalHeap heap;
  std::string damage = heap.read(number(message, kHeapAt, file.address_bytes()), file);
  for (std::size_t i = 0; i < count && damage.empty(); ++i) {
    const std::uint64_t name = number(message, first + i * 3 * width, width);
    if (!heap.has_name(name))
      damage = fmt::format("the name of a file at byte {} of its heap has no end", name);
  }
  return damage;
}

}  // namespace nntrain::io
