// What of a run may change when it goes on, and what may not.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/call.h"
#include "core/error.h"
#include "train/run/snapshot.h"

namespace nntrain::train {

namespace {

class Comparison {
 public:
  explicit Comparison(std::string path) : path_(std::move(path)) {}

  void equal(const std::string& what, const Json& then, const Json& now) const {
    if (then != now) refuse(what, format_call(then), format_call(now));
  }
  [[noreturn]] void refuse(const std::string& what, const std::string& then, const std::string& now) const {
    throw InputError("checkpoint \"" + path_ + "\" was trained with " + what + " " + then +
                     ", the configuration says " + now +
                     "; restore the old value, give another checkpoint.path, or start afresh with "
                     "checkpoint.resume = never");
  }

 private:
  std::string path_;
};

void compare_models(const Comparison& compare, const Json& old_config, const Json& new_config) {
  const std::vector<Json> then = nn::architecture_from_keras(old_config).layers;
  const std::vector<Json> now = nn::architecture_from_keras(new_config).layers;
  if (then.size() != now.size())
    compare.refuse("a model of", fmt::format("{} layers", then.size()), fmt::format("{} layers", now.size()));
  for (std::size_t i = 0; i < now.size(); ++i) compare.equal(fmt::format("layer {}", i + 1), then[i], now[i]);
}

/// The same values may stand for other things: classes and columns go by their names too. An older checkpoint
/// and a file without names have none to compare.
void compare_names(const Comparison& compare, const Json& then, const DataSets& now) {
  if (!then.contains("table")) return;
  const Json old_targets = then["table"].value("targets", Json::object());
  const Json targets = now.table.value("targets", Json::object());
  for (const char* names : {"label_values", "label_names"}) {
    const Json before = old_targets.value(names, Json()), after = targets.value(names, Json());
    const auto text = [](const Json& values) { return values.is_null() ? "0, 1, .." : format_call(values); };
    const bool may_be_unnamed =
        std::string_view(names) == "label_names" && (before.is_null() || after.is_null());
    if (before != after && !may_be_unnamed) compare.refuse("the classes", text(before), text(after));
  }
  const Json old_columns = then.value("columns", Json::array());
  if (!old_columns.empty() && !now.columns.empty())
    compare.equal("inputs of the columns", old_columns, now.columns);
}

void compare_data(const Comparison& compare, const Json& then, const DataSets& now) {
  compare_names(compare, then, now);
  const Json old_prints = then.value("fingerprints", Json::object());
  for (const auto& [name, entry] : now.fingerprints.items()) {
    const Json old = old_prints.value(name, Json::object());
    // Of all values where both were made, as then or now inputs were streamed; else of some rows.
    const bool whole = !entry.contains("sampled") || (old.contains("sha256") && entry.contains("sha256"));
    const char* digest = whole ? "sha256" : "sampled";
    if (!whole && old.contains("sha256") && !old.contains("sampled"))
      throw InputError("the checkpoint has no sampled fingerprint of data." + name +
                       "; data.fingerprint = full compares all of it");
    if (old.value(digest, "") == entry.value(digest, "")) continue;
    compare.refuse("data." + name,
                   old.value("source", "none") + " (SHA-256 " + old.value(digest, "-").substr(0, 16) + ")",
                   entry.value("source", "") + " (SHA-256 " + entry.value(digest, "").substr(0, 16) + ")");
  }
  compare.equal("data.scale", then.value("scale", Json(1.0F)), Json(now.scale));
  compare.equal("data.target_scale", then.value("target_scale", Json()), now.target_scale.description());
  compare.equal("training rows", then.value("rows", Json(0)), Json(now.train.rows()));
}

/// Keys that a run may change without a word: where things go and how much is said.
constexpr std::array<std::string_view, 18> kUnremarkable = {
    "fit.epochs", "fit.verbose", "checkpoint.path", "checkpoint.resume", "checkpoint.every_epochs",
    "checkpoint.every_steps", "checkpoint.every_minutes", "checkpoint.keep", "run.log", "run.profile",
    "run.plot", "run.max_time", "run.stall_timeout", "run.verify_every", "run.shards",
    // said in its own words (products.h)
    "run.products", "run.blas", "run.strict"};

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all.empty() ? "not set" : all;
}

/// What makes fit.shuffle = blocks(..) another order.
void note_blocks(std::vector<std::string>& changes, const Run& run, const checkpoint::Contents& previous) {
  const Json& then = previous.environment;
  const std::int64_t old_rows = then.value("block_rows", run.data.block_rows);
  if (old_rows != run.data.block_rows)
    changes.push_back(fmt::format("data.block_rows changes from here on: it was {}, it is {}", old_rows,
                                  run.data.block_rows));
  if (then.value("block_cuts", Json::array()) != Json(run.data.block_cuts))
    changes.emplace_back("the files' layout, and with it the order of blocks, changes from here on");
  const bool had_blocks = joined(then["settings"].value("fit.shuffle", Json::array())).starts_with("blocks");
  if (had_blocks && then.value("block_order", "") != data::BlockPermutation::kName)
    changes.push_back(fmt::format(
        "the order of blocks changes from here on: the checkpoint is of a version that drew a window's "
        "blocks from "
        "the whole file{}",
        previous.state.step > 0 ? "; of this epoch some rows come twice and others do not come" : ""));
}

}  // namespace

void check_compatible(const Run& run, const checkpoint::Contents& previous) {
  // A trial of `nntrain-dist check` has no path.
  const std::string& path = run.settings.checkpoint.path;
  const Comparison compare(path.empty() ? previous.origin : path);
  const Json& then = previous.environment;
  compare_models(compare, previous.model_config, run.model->config());
  compare.equal("the loss", then.value("loss", Json()), run.compiled.loss->spec());
  compare.equal("fit.batch_size", then.value("batch_size", Json()), run.settings.fit.batch_size);
  compare.equal("run.seed", previous.state.seed, run.settings.run.seed);
  compare.equal("run.wire", then.value("wire", "float32"), wire_name(run.settings.run.wire));
  const std::string optimizer = run.optimizer->spec()["class_name"].get<std::string>();
  if (previous.optimizer != optimizer) compare.refuse("the optimizer", previous.optimizer, optimizer);
  compare_data(compare, previous.data, run.data);
}

std::vector<std::string> changed_meanings(const Json& then, const DataSets& now) {
  std::vector<std::string> changes;
  if (!then.is_object()) return changes;
  const auto note = [&](const std::string& what, const Json& before, const Json& after) {
    changes.push_back(fmt::format("{} were {}, this run's are {}; training goes on from there", what,
                                  format_call(before), format_call(after)));
  };
  const auto old_columns = then.value("columns", std::vector<std::string>{});
  const auto columns = now.columns.get<std::vector<std::string>>();
  if (!old_columns.empty() && !columns.empty() && columns != old_columns) {
    if (std::is_permutation(columns.begin(), columns.end(), old_columns.begin(), old_columns.end())) {
      throw InputError(fmt::format(
          "model.from: its weights are for the inputs {}, in this order; data.inputs has {}. Give "
          "data.input_columns = {}",
          fmt::join(old_columns, ", "), fmt::join(columns, ", "), fmt::join(old_columns, ", ")));
    }
    note("the inputs of its training", then["columns"], now.columns);
  }
  const auto old_classes = then.value("class_names", std::vector<std::string>{});
  if (old_classes != now.class_names && !old_classes.empty() && !now.class_names.empty())
    note("the classes of its training", old_classes, now.class_names);
  if (const Json scale = then.value("scale", Json(1.0F)); scale != Json(now.scale)) {
    changes.push_back(fmt::format("its training multiplied the inputs by data.scale = {}, this run by {}",
                                  format_call(scale), now.scale));
  }
  return changes;
}

std::vector<std::string> changed_settings(const Run& run, const checkpoint::Contents& previous) {
  std::vector<std::string> changes;
  const Json then = previous.environment.value("settings", Json());
  if (!then.is_object()) return changes;  // an older checkpoint
  const Json now = settings_json(run.configuration);
  for (const Key& key : keys()) {
    if (std::find(kUnremarkable.begin(), kUnremarkable.end(), key.name) != kUnremarkable.end()) continue;
    const bool validates = key.name.starts_with("data.validation");
    if ((key.name.starts_with("data.") && !validates) || key.name.starts_with("model."))
      continue;  // compared by what they mean
    const Json before = then.value(key.name, Json::array()), after = now.value(key.name, Json::array());
    if (before != after)
      changes.push_back(fmt::format("{} changes from here on: it was {}, it is {}", key.name, joined(before),
                                    joined(after)));
  }
  if (run.settings.fit.shuffle_window > 0) note_blocks(changes, run, previous);
  return changes;
}

}  // namespace nntrain::train
