// Before libhdf5 opens an object, its header is walked once and what libhdf5 1.10 would follow out of its
// memory, or for ever, is refused: hdf5_message_check.cpp, hdf5_name_check.cpp, hdf5_header_check.cpp.

#include <fmt/format.h>

#include <unordered_map>

#include "io/hdf5_call.h"
#include "io/hdf5_check.h"

namespace nntrain::io {

namespace detail {

class CheckedObjects {
 public:
  struct Verdict {
    std::string damage;  ///< empty: none
    bool attributes_fit = true;
  };

  /// A descriptor that stays open, or a path.
  template <class File>
  CheckedObjects(const File& file, std::uint64_t file_bytes) : file_(file), structures_(file_, file_bytes) {}

  /// Of the object whose header is at `address`.
  const Verdict& of(std::uint64_t address) {
    const auto [known, is_new] = verdicts_.try_emplace(address);
    if (is_new) look(address, known->second);
    return known->second;
  }
  RawStructures::Superblock superblock() const { return structures_.superblock(); }

 private:
  void look(std::uint64_t address, Verdict& verdict) {
    constexpr unsigned kExternalFiles = 0x7, kAttribute = 0xC, kSymbolTable = 0x11;
    const bool walked = structures_.each_message(address, [&](const RawStructures::Message& message) {
      if (message.type == kAttribute && !message.shared && !attribute_fits(message.bytes, structures_))
        verdict.attributes_fit = false;
      if (!verdict.damage.empty()) return;
      if (!message.shared) verdict.damage = message_damage(message.type, message.bytes, structures_);
      if (!verdict.damage.empty()) return;
      if (message.type == kSymbolTable) verdict.damage = symbol_table_damage(message.bytes, structures_);
      if (message.type == kExternalFiles) verdict.damage = external_files_damage(message.bytes, structures_);
    });
    if (!walked) verdict.damage = "the parts of its header share bytes of the file, or are too short";
  }

  RawFile file_;
  RawStructures structures_;
  std::unordered_map<std::uint64_t, Verdict> verdicts_;
};

}  // namespace detail

namespace {

const detail::CheckedObjects::Verdict& verdict_of(const detail::Hdf5Context& context, std::uint64_t address) {
  detail::Hdf5Io& io = *context.io;
  if (io.checked == nullptr) {
    io.checked = std::make_shared<detail::CheckedObjects>(io.descriptor,
                                                          static_cast<std::uint64_t>(context.file_bytes));
  }
  return io.checked->of(address);
}

}  // namespace

void check_superblock(const detail::Hdf5Context& context) {
  detail::CheckedObjects objects(context.path, static_cast<std::uint64_t>(context.file_bytes));
  const RawStructures::Superblock superblock = objects.superblock();
  const auto bytes = static_cast<std::uint64_t>(context.file_bytes);
  if (superblock.end_of_file > bytes) {
    fail(context, fmt::format("\"{}\" is truncated: it had {} bytes and has {}", context.file,
                              superblock.end_of_file, bytes));
  }
  for (const std::uint64_t address : superblock.objects) {
    const std::string& damage = objects.of(address).damage;
    if (!damage.empty())
      fail(context, fmt::format("\"{}\" is truncated or damaged: {}", context.file, damage));
  }
}

void check_object(const detail::Hdf5Context& context, std::uint64_t address, const std::string& object) {
  if (!context.reading) return;
  const std::string& damage = verdict_of(context, address).damage;
  if (!damage.empty()) fail(context, fmt::format("{} is damaged: {}", object, damage));
}

void check_attributes(const detail::Hdf5Context& context, std::uint64_t address, const std::string& object) {
  if (!context.reading) return;
  if (!verdict_of(context, address).attributes_fit)
    fail(context, fmt::format("{} has a damaged attribute, which is longer than its place in the file, or "
                              "one of a kind that is not known",
                              object));
}

}  // namespace nntrain::io
