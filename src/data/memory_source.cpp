// Arrays that an embedding program gives.

#include <cstring>

#include "core/error.h"
#include "data/formats.h"

namespace nntrain::data {

namespace {

class MemorySource : public ArraySource {
 public:
  MemorySource(const MemoryArray& array, const std::string& name)
      : array_(array), name_(name), info_(make_info(name, array.shape, Element::kFloat32)) {}
  const ArrayInfo& info() const override { return info_; }
  void read(std::span<std::byte> memory) override {
    check_memory(info_, memory);
    std::memcpy(memory.data(), array_.values, memory.size());
    check_finite(info_, memory, name_);
  }

 private:
  MemoryArray array_;
  std::string name_;
  ArrayInfo info_;
};

}  // namespace

std::unique_ptr<ArraySource> open_memory(const SourceOptions& options) {
  const auto found = options.memory->find(options.source);
  if (found == options.memory->end() || found->second.values == nullptr)
    throw InputError(options.key + ": no array was given for it");
  return std::make_unique<MemorySource>(found->second, options.key);
}

}  // namespace nntrain::data
