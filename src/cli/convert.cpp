// Any source as one HDF5 file: /inputs, and /targets where target columns are named. In memory, by rank 0.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "core/error.h"
#include "data/array_source.h"
#include "data/sampler.h"
#include "io/hdf5.h"
#include "io/output_guard.h"
#include "train/config/settings.h"

namespace nntrain::cli {

namespace {

constexpr const char* kWriter = "nntrain-dist convert";

/// An array as it was read, its rows in their final order.
struct Read {
  data::ArrayInfo info;
  std::vector<std::byte> bytes;
};

Read read_array(const data::SourceOptions& options, const data::Sampler& order) {
  const std::unique_ptr<data::ArraySource> source = data::open_array(options);
  Read read{source->info(), {}};
  std::vector<std::byte> raw(static_cast<std::size_t>(read.info.bytes()));
  source->read(raw);
  const std::size_t row_bytes = raw.size() / static_cast<std::size_t>(read.info.rows);
  read.bytes.resize(raw.size());
  for (std::int64_t row = 0; row < read.info.rows; ++row) {
    std::copy_n(
        raw.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(order.row(row)) * row_bytes),
        row_bytes,
        read.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * row_bytes));
  }
  return read;
}

Shape shape_of(const data::ArrayInfo& info) {
  std::vector<std::int64_t> extents = {info.rows};
  for (const std::int64_t extent : info.sample.extents()) extents.push_back(extent);
  return Shape(extents);
}

template <class T>
void write_as(io::Hdf5Group& root, const std::string& name, const Read& read) {
  const std::span<const T> values(reinterpret_cast<const T*>(read.bytes.data()),
                                  read.bytes.size() / sizeof(T));
  root.write_dataset(name, shape_of(read.info), values);
}

void write_array(io::Hdf5Group& root, const std::string& name, const Read& read) {
  if (read.info.element == data::Element::kUint8) {
    write_as<std::uint8_t>(root, name, read);
  } else {
    write_as<float>(root, name, read);
  }
  if (!read.info.columns.empty()) root.write_attribute(name + "_columns", read.info.columns);
  if (!read.info.class_names.empty()) root.write_attribute("class_names", read.info.class_names);
}

bool is_ours(const std::string& path) {
  try {
    const io::Hdf5File file = io::Hdf5File::open(path);
    return file.root().has_attribute("written_by") && file.root().read_text("written_by") == kWriter;
  } catch (const Error&) {
    return false;
  }
}

data::SourceOptions options_of(const train::DataSettings& settings, data::Role role) {
  const bool targets = role == data::Role::kTargets;
  data::SourceOptions options;
  options.source = settings.inputs;
  options.role = role;
  options.key = "SOURCE";
  options.table = settings.table;
  options.columns = targets ? settings.target_columns : settings.input_columns;
  if (!targets) options.exclude_columns = settings.target_columns;
  return options;
}

/// Returns what was written, for the log.
std::string convert_on_root(const CommandLine& line, const train::Settings& settings) {
  const std::string output = line.value("output");
  io::OutputGuard guard;
  for (const std::string& file : data::files_of(settings.data.inputs)) guard.add_input(file, "SOURCE");
  guard.add_output(output, "--output", is_ours);
  const std::int64_t rows = data::open_array(options_of(settings.data, data::Role::kInputs))->info().rows;
  const data::Sampler order(rows, settings.run.seed, 0,
                            line.has("shuffle") ? data::Order::kShuffled : data::Order::kFile);
  const Read inputs = read_array(options_of(settings.data, data::Role::kInputs), order);
  const bool has_targets =
      !settings.data.target_columns.empty() || data::has_part(settings.data.table, "target");
  Read targets;
  if (has_targets) targets = read_array(options_of(settings.data, data::Role::kTargets), order);
  io::AtomicFile file(output);
  io::Hdf5File hdf5 = io::Hdf5File::create(
      file, static_cast<std::int64_t>(inputs.bytes.size() + targets.bytes.size()) + 8192);
  io::Hdf5Group root = hdf5.root();
  root.write_attribute("written_by", kWriter);
  write_array(root, "inputs", inputs);
  if (has_targets) write_array(root, "targets", targets);
  hdf5.close();
  file.commit();
  std::string text = fmt::format("{} written: /inputs {}", output, shape_of(inputs.info).to_string());
  if (has_targets) text += fmt::format(", /targets {}", shape_of(targets.info).to_string());
  return text +
         (line.has("shuffle") ? fmt::format(", rows shuffled by run.seed = {}", settings.run.seed) : "");
}

}  // namespace

ExitCode convert(comm::Session& session, const CommandLine& line) {
  std::string text;
  comm::collectively(session, "convert", [&] {
    const std::string output = line.value("output");
    if (!output.ends_with(".h5") && !output.ends_with(".hdf5"))
      throw InputError("convert writes HDF5: give --output=FILE.h5" +
                       (output.empty() ? std::string() : ", got \"" + output + "\""));
    train::Configuration configuration;
    configuration.add("data.inputs", {line.file, "command line"});
    apply_settings(line, configuration);
    const train::Settings settings = train::read_settings(configuration);
    if (session.is_root()) text = convert_on_root(line, settings);
  });
  log::info(text);
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
