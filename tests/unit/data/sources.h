#pragma once
// What the tests of sources share: opening by path, reading into floats, writing IDX and NPY.

#include <cstring>
#include <string>
#include <vector>

#include "data/array_source.h"
#include "unit/io/scratch.h"

namespace nntrain::test {

struct Loaded {
  data::ArrayInfo info;
  std::vector<std::byte> memory;
  std::vector<float> floats() const {
    std::vector<float> values(static_cast<std::size_t>(info.rows * info.sample.size()));
    if (info.element == data::Element::kFloat32) {
      std::memcpy(values.data(), memory.data(), memory.size());
    } else {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(memory[i]);
    }
    return values;
  }
};

inline data::SourceOptions options_for(const std::string& source, data::Role role = data::Role::kInputs) {
  data::SourceOptions options;
  options.source = source;
  options.role = role;
  options.key = role == data::Role::kInputs    ? "data.inputs"
                : role == data::Role::kTargets ? "data.targets"
                                               : "data.sample_weight";
  return options;
}

inline Loaded load(const data::SourceOptions& options) {
  const std::unique_ptr<data::ArraySource> source = data::open_array(options);
  Loaded loaded{source->info(), std::vector<std::byte>(static_cast<std::size_t>(source->info().bytes()))};
  source->read(loaded.memory);
  return loaded;
}

inline Loaded load(const std::string& source) { return load(options_for(source)); }

inline std::string load_error(const data::SourceOptions& options) {
  return message_of<InputError>([&] { load(options); });
}
inline std::string load_error(const std::string& source) { return load_error(options_for(source)); }

/// `value` as `bytes` bytes, most significant first.
inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 255U);
  return text;
}

inline std::string idx_header(unsigned type, const std::vector<std::uint64_t>& extents) {
  std::string bytes = std::string(2, '\0') + static_cast<char>(type) + static_cast<char>(extents.size());
  for (const std::uint64_t extent : extents) bytes += big_endian(extent, 4);
  return bytes;
}

inline std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                       const std::string& payload, int version = 1) {
  std::string header = "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 1 + 12 + 63) / 64 * 64 - 12 - 1, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes += static_cast<char>(header.size() >> (8 * i) & 255U);
  return bytes + header + payload;
}

template <class T>
std::string raw_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace nntrain::test
