#include "train/run/outputs.h"

#include <algorithm>

#include "core/error.h"
#include "data/array_source.h"
#include "io/atomic_file.h"
#include "io/stream_file.h"
#include "train/config/configuration.h"
#include "train/step/profile.h"

namespace nntrain::train {

namespace {

bool any_file(const std::string& /*path*/) { return true; }

/// The file that "run.ini:12" and "run.ini" stand for; "" for the command line and defaults.
std::string file_of_origin(const std::string& origin) {
  const std::size_t colon = origin.rfind(':');
  const bool numbered =
      colon != std::string::npos && origin.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  const std::string file = numbered ? origin.substr(0, colon) : origin;
  return file == "command line" || file == "default" ? "" : file;
}

void add_inputs(io::OutputGuard& guard, const Configuration& configuration) {
  std::vector<std::string> files;
  for (const Key& key : keys()) {
    for (const Value& value : configuration.list(key.name)) files.push_back(file_of_origin(value.origin));
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  for (const std::string& file : files) guard.add_input(file, "the configuration");
  const Settings settings = read_settings(configuration);
  add_data_inputs(guard, settings.data);
  guard.add_input(settings.model.from, "model.from");
}

}  // namespace

void add_data_inputs(io::OutputGuard& guard, const DataSettings& data) {
  const auto add = [&](const std::string& source, const char* key) {
    for (const std::string& file : data::files_of(source)) guard.add_input(file, key);
  };
  add(data.inputs, "data.inputs");
  add(data.targets, "data.targets");
  add(data.sample_weight, "data.sample_weight");
  add(data.validation_inputs, "data.validation_inputs");
  add(data.validation_targets, "data.validation_targets");
  add(data.validation_sample_weight, "data.validation_sample_weight");
  add(data.test_inputs, "data.test_inputs");
  add(data.test_targets, "data.test_targets");
}

bool is_picture(const std::string& path) {
  const std::string start = io::first_bytes(path, 600);
  if (path.ends_with(".png")) return start.starts_with("\x89PNG");
  if (path.ends_with(".pdf")) return start.starts_with("%PDF");
  if (path.ends_with(".svg")) return start.find("<svg") != std::string::npos;
  return path.ends_with(".txt") && start.starts_with("nntrain-dist plot");
}

void require_log_file(const Configuration& configuration) {
  const Settings settings = read_settings(configuration);
  const std::string path = settings.run.log;
  if (path.empty() || io::kind_of_special_file(path) == "a device") return;  // appended to, never replaced
  io::OutputGuard guard;
  add_inputs(guard, configuration);
  if (!settings.checkpoint.path.empty())
    guard.add_output(settings.checkpoint.path, "checkpoint.path", any_file);
  if (!settings.run.profile.empty()) guard.add_output(settings.run.profile, "run.profile", any_file);
  if (!settings.run.plot.empty()) guard.add_output(settings.run.plot, "run.plot", any_file);
  for (std::size_t i = 0; i < settings.fit.callbacks.size(); ++i) {
    const auto callback = with_origin(settings.fit.callback_origins[i],
                                      [&] { return callbacks().make(settings.fit.callbacks[i]); });
    for (const Callback::Output& output : callback->outputs())
      guard.add_output(output.path, output.what, any_file);
  }
  guard.add_output(path, "run.log", any_file);  // whether it is a log of ours, Log::open() says
}

io::OutputGuard guard_outputs(const Configuration& configuration, const Settings& settings,
                              const std::vector<std::unique_ptr<Callback>>& all) {
  io::OutputGuard guard;
  add_inputs(guard, configuration);
  // What may be there under this name, the checkpoint's reader says.
  if (!settings.checkpoint.path.empty())
    guard.add_output(settings.checkpoint.path, "checkpoint.path", any_file);
  if (!settings.run.log.empty() && !io::is_stream(settings.run.log))
    guard.add_output(settings.run.log, "run.log", any_file);  // require_log_file() has looked
  const auto add = [&](const std::string& path, const std::string& what,
                       const io::OutputGuard::IsOurs& is_ours) {
    guard.add_output(path, what, is_ours);
    with_origin(what, [&] { io::try_output(path, 0); });
  };
  if (!settings.run.profile.empty()) add(settings.run.profile, "run.profile", is_profile);
  if (!settings.run.plot.empty()) add(settings.run.plot, "run.plot", is_picture);
  for (const auto& callback : all) {
    for (const Callback::Output& output : callback->outputs()) add(output.path, output.what, output.is_ours);
  }
  return guard;
}

}  // namespace nntrain::train
