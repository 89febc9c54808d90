// Any source as one HDF5 file: /inputs, and /targets where there are targets; in chunks, as streaming likes
// them. By rank 0.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/convert_rows.h"
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

Shape shape_of(const data::ArrayInfo& info) {
  std::vector<std::int64_t> extents = {info.rows};
  for (const std::int64_t extent : info.sample.extents()) extents.push_back(extent);
  return Shape(extents);
}

/// How the output is to be.
struct Layout {
  std::string output;
  data::Sampler order;
  std::int64_t memory_bytes;
  int gzip;
};

template <class T>
void write_rows(io::Hdf5Group& root, const std::string& name, data::ArraySource& source,
                const Layout& layout) {
  data::ArrayInfo info = source.info();
  info.chunk_rows = 0;  // chunks of its own
  const std::int64_t chunk_rows = std::min(info.rows, data::block_rows_of(info));
  io::Hdf5Rows rows = root.create_rows<T>(name, shape_of(info), {chunk_rows, layout.gzip, false});
  const std::unique_ptr<OrderedRows> ordered =
      ordered_rows(source, layout.order, layout.memory_bytes, layout.output);
  std::vector<T> chunk(static_cast<std::size_t>(chunk_rows * info.sample.size()));
  for (std::int64_t first = 0; first < info.rows; first += chunk_rows) {
    const std::int64_t count = std::min(chunk_rows, info.rows - first);
    const std::span<T> some = std::span(chunk).first(static_cast<std::size_t>(count * info.sample.size()));
    ordered->next(std::as_writable_bytes(some));
    rows.write<T>(first, std::span<const T>(some));
  }
  rows.close();
}

void write_array(io::Hdf5Group& root, const std::string& name, data::ArraySource& source,
                 const Layout& layout) {
  if (source.info().element == data::Element::kUint8) {
    write_rows<std::uint8_t>(root, name, source, layout);
  } else {
    write_rows<float>(root, name, source, layout);
  }
  if (!source.info().columns.empty()) root.write_attribute(name + "_columns", source.info().columns);
  if (!source.info().class_names.empty()) root.write_attribute("class_names", source.info().class_names);
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
  options.source = targets && !settings.targets.empty() ? settings.targets : settings.inputs;
  options.of_one_table = settings.targets.empty();
  options.by_rows = true;
  options.role = role;
  options.key = "SOURCE";
  options.table = settings.table;
  options.columns = targets ? settings.target_columns : settings.input_columns;
  if (!targets) options.exclude_columns = settings.target_columns;
  return options;
}

int gzip_level(const CommandLine& line) {
  const std::string level = line.value("gzip");
  if (level.empty()) return 0;
  if (level.size() == 1 && level[0] >= '1' && level[0] <= '9') return level[0] - '0';
  throw InputError("--gzip=" + level + ": a level from 1 (fast) to 9 is expected");
}

/// Returns what was written, for the log.
std::string convert_on_root(const CommandLine& line, const train::Settings& settings) {
  const std::string output = line.value("output");
  io::OutputGuard guard;
  for (const std::string& file : data::files_of(settings.data.inputs)) guard.add_input(file, "SOURCE");
  guard.add_output(output, "--output", is_ours);
  if (!settings.data.targets.empty())
    for (const std::string& file : data::files_of(settings.data.targets))
      guard.add_input(file, "data.targets");
  const std::unique_ptr<data::ArraySource> inputs =
      data::open_array(options_of(settings.data, data::Role::kInputs));
  const std::int64_t rows = inputs->info().rows;
  const bool has_targets = !settings.data.targets.empty() || !settings.data.target_columns.empty() ||
                           data::has_part(settings.data.table, "target");
  std::unique_ptr<data::ArraySource> targets;
  if (has_targets) {
    targets = data::open_array(options_of(settings.data, data::Role::kTargets));
    if (targets->info().rows != rows)
      throw InputError(fmt::format("SOURCE has {} rows, data.targets \"{}\" {}; each row has its target",
                                   rows, settings.data.targets, targets->info().rows));
  }
  const Layout layout = {
      output,
      {rows, settings.run.seed, 0, line.has("shuffle") ? data::Order::kShuffled : data::Order::kFile},
      settings.data.cache_bytes,
      gzip_level(line)};
  io::AtomicFile file(output);
  const std::int64_t bytes = inputs->info().bytes() + (targets ? targets->info().bytes() : 0);
  io::Hdf5File hdf5 = io::Hdf5File::create(file, layout.gzip > 0 ? 0 : bytes + 8192);
  io::Hdf5Group root = hdf5.root();
  root.write_attribute("written_by", kWriter);
  write_array(root, "inputs", *inputs, layout);
  if (targets) write_array(root, "targets", *targets, layout);
  hdf5.close();
  file.commit();
  std::string text = fmt::format("{} written: /inputs {}", output, shape_of(inputs->info()).to_string());
  if (targets) text += fmt::format(", /targets {}", shape_of(targets->info()).to_string());
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
