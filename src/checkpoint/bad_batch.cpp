#include "checkpoint/bad_batch.h"

#include <filesystem>

#include "checkpoint/run_file.h"
#include "checkpoint/written_file.h"
#include "core/error.h"

namespace nntrain::checkpoint {

namespace {

constexpr const char* kGroup = "nan";  ///< what was found

bool is_finite(const std::string& path, const Contents& state) {
  try {
    require_finite(path, state);
  } catch (const DivergedError&) {
    return false;
  }
  return true;
}

void write_batch(io::Hdf5Group root, const BadBatch& batch) {
  const auto rows = static_cast<std::int64_t>(batch.rows.size());
  std::vector<std::int64_t> inputs = batch.input_shape.extents();
  inputs.insert(inputs.begin(), rows);
  root.write_dataset("inputs", Shape(inputs), batch.inputs);
  root.write_dataset("targets", Shape{rows, batch.target_width}, batch.targets);
  if (!batch.weights.empty()) root.write_dataset("sample_weight", Shape{rows}, batch.weights);
  root.write_dataset("rows", Shape{rows}, batch.rows);
  io::Hdf5Group found = root.create_group(kGroup);
  found.write_dataset("rows", Shape{static_cast<std::int64_t>(batch.bad_rows.size())}, batch.bad_rows);
  for (const auto& [name, value] : batch.found.items()) {
    if (value.is_number_integer()) {
      found.write_attribute(name, value.get<std::int64_t>());
    } else if (value.is_number()) {
      found.write_attribute(name, value.get<double>());
    } else {
      found.write_attribute(name, value.get<std::string>());
    }
  }
}

}  // namespace

std::string bad_batch_path(const std::string& checkpoint) {
  std::filesystem::path path(checkpoint);
  if (path.stem().extension() == ".nan") return checkpoint;
  return path.replace_extension(".nan" + path.extension().string()).string();
}

bool is_bad_batch(const std::string& path) {
  try {
    return io::Hdf5File::open(path).root().kind(kGroup) == io::Hdf5Kind::kGroup;
  } catch (const std::exception&) {
    return false;
  }
}

bool write_bad_batch(const std::string& path, const BadBatch& batch, const Contents* state) {
  const bool has_state = state != nullptr && is_finite(path, *state);
  io::AtomicFile file(path);
  const auto floats = batch.inputs.size() + batch.targets.size() + batch.weights.size() +
                      2 * (batch.rows.size() + batch.bad_rows.size());
  io::Hdf5File hdf5 = io::Hdf5File::create(
      file, file_bytes(static_cast<std::int64_t>(floats), 1 << 16) + (has_state ? payload_bytes(*state) : 0));
  if (has_state) write_contents(hdf5.root(), *state);
  write_batch(hdf5.root(), batch);
  hdf5.close();
  file.synchronise();
  file.commit();
  return has_state;
}

}  // namespace nntrain::checkpoint
