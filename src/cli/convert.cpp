// Any source as one HDF5 file: /inputs, and /targets where there are targets; in chunks, as streaming likes
// them. By rank 0, or large tables of numbers by all ranks.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/convert_output.h"
#include "cli/convert_parallel.h"
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

void write_array(io::Hdf5Group& root, const std::string& name, data::ArraySource& source,
                 const Layout& layout) {
  const data::ArrayInfo& info = source.info();
  ConvertedRows rows(root, name, info, layout.gzip);
  data::ArrayInfo some = info;
  some.chunk_rows = 0;
  const std::int64_t step = std::min(info.rows, data::block_rows_of(some));
  const std::unique_ptr<OrderedRows> ordered =
      ordered_rows(source, layout.order, layout.memory_bytes, layout.output);
  std::vector<std::byte> memory(static_cast<std::size_t>(step * (info.bytes() / info.rows)));
  for (std::int64_t first = 0; first < info.rows; first += step) {
    const std::int64_t count = std::min(step, info.rows - first);
    const std::span<std::byte> next =
        std::span(memory).first(static_cast<std::size_t>(count * (info.bytes() / info.rows)));
    ordered->next(next);
    rows.add(next);
  }
  rows.close();
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
  options.most_bytes = settings.cache_bytes;
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

bool has_targets(const train::DataSettings& data) {
  return !data.targets.empty() || !data.target_columns.empty() || data::has_part(data.table, "target");
}

void check_output(const std::string& output, const train::DataSettings& data) {
  io::OutputGuard guard;
  for (const std::string& file : data::files_of(data.inputs)) guard.add_input(file, "SOURCE");
  if (!data.targets.empty())
    for (const std::string& file : data::files_of(data.targets)) guard.add_input(file, "data.targets");
  guard.add_output(output, "--output", is_ours);
}

/// A file that is being written; its name is the output's when all is well.
struct OutputFile {
  OutputFile(const std::string& path, std::int64_t bytes)
      : file(path), hdf5(io::Hdf5File::create(file, bytes)), root(hdf5.root()) {
    root.write_attribute("written_by", kWriter);
  }
  void commit() {
    hdf5.close();
    file.commit();
  }

  io::AtomicFile file;
  io::Hdf5File hdf5;
  io::Hdf5Group root;
};

/// By rank 0 alone. Returns what was written, for the log.
std::string convert_on_root(const CommandLine& line, const train::Settings& settings,
                            std::vector<std::string>& notes) {
  const std::string output = line.value("output");
  const std::unique_ptr<data::ArraySource> inputs =
      data::open_array(options_of(settings.data, data::Role::kInputs));
  const std::int64_t rows = inputs->info().rows;
  notes = inputs->info().notes;
  std::unique_ptr<data::ArraySource> targets;
  if (has_targets(settings.data)) {
    targets = data::open_array(options_of(settings.data, data::Role::kTargets));
    if (targets->info().rows != rows)
      throw InputError(fmt::format("SOURCE has {} rows, data.targets \"{}\" {}; each row has its target",
                                   rows, settings.data.targets, targets->info().rows));
    for (std::size_t i = 1; i < targets->info().notes.size(); ++i) {
      const std::string& note = targets->info().notes[i];
      if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
    }
  }
  const Layout layout = {
      output,
      {rows, settings.run.seed, 0, line.has("shuffle") ? data::Order::kShuffled : data::Order::kFile},
      settings.data.cache_bytes,
      gzip_level(line)};
  const std::int64_t bytes = inputs->info().bytes() + (targets ? targets->info().bytes() : 0);
  OutputFile file(output, layout.gzip > 0 ? 0 : bytes + 8192);
  write_array(file.root, "inputs", *inputs, layout);
  if (targets) write_array(file.root, "targets", *targets, layout);
  file.commit();
  std::string text = fmt::format("/inputs {}", shape_of(inputs->info()).to_string());
  if (targets) text += fmt::format(", /targets {}", shape_of(targets->info()).to_string());
  return text +
         (line.has("shuffle") ? fmt::format(", rows shuffled by run.seed = {}", settings.run.seed) : "");
}

/// By all ranks, where that can be done; false on all of them where not, and nothing has happened.
bool convert_by_all(comm::Session& session, const CommandLine& line, const train::Settings& settings,
                    std::string& text, std::vector<std::string>& notes) {
  if (line.has("shuffle") || !settings.data.targets.empty()) return false;
  ConvertedTable table;
  table.inputs = options_of(settings.data, data::Role::kInputs);
  table.inputs.by_rows = false;
  table.gzip = gzip_level(line);
  if (has_targets(settings.data)) table.targets = options_of(settings.data, data::Role::kTargets);
  if (!parses_in_parallel(session, table)) return false;
  std::optional<OutputFile> file;
  comm::collectively(session, "convert", [&] {
    if (session.is_root()) file.emplace(line.value("output"), 0);
  });
  if (!convert_in_parallel(session, table, file ? &file->root : nullptr, text, notes)) return false;
  comm::collectively(session, "convert", [&] {
    if (file) file->commit();
  });
  return true;
}

}  // namespace

ExitCode convert(comm::Session& session, const CommandLine& line) {
  const std::string output = line.value("output");
  train::Settings settings;
  comm::collectively(session, "convert", [&] {
    if (!output.ends_with(".h5") && !output.ends_with(".hdf5"))
      throw InputError("convert writes HDF5: give --output=FILE.h5" +
                       (output.empty() ? std::string() : ", got \"" + output + "\""));
    train::Configuration configuration;
    configuration.add("data.inputs", {line.file, "command line"});
    apply_settings(line, configuration);
    settings = train::read_settings(configuration);
    gzip_level(line);
    if (session.is_root()) check_output(output, settings.data);
  });
  // Ranks wait for one that reads alone as long as that takes.
  session.end_stalls_after(std::numeric_limits<double>::infinity(), "UNLIMITED");
  std::string text;
  std::vector<std::string> notes;
  if (!convert_by_all(session, line, settings, text, notes)) {
    comm::collectively(session, "convert", [&] {
      if (session.is_root()) text = convert_on_root(line, settings, notes);
    });
  }
  if (!notes.empty()) log::info(notes.front());
  for (std::size_t i = 1; i < notes.size(); ++i) log::note(notes[i]);
  log::info(fmt::format("{} written: {}", output, text));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
