#include "train/config/idle_keys.h"

#include <fmt/format.h>

#include <set>

#include "train/config/settings_reader.h"

namespace nntrain::train {

namespace {

void refuse_repeated_class(const Reader& reader) {
  std::set<std::string> seen;
  for (const std::string& name : reader.names("data.class_names")) {
    if (!seen.insert(name).second)
      reader.fail("data.class_names", "\"" + name + "\" stands twice; each class has a name of its own");
  }
}

void refuse_without_scaling(const Reader& reader, const Configuration& configuration) {
  if (reader.text("fit.learning_rate_scaling") != "none") return;
  const auto refuse = [&](const char* key) {
    reader.fail(
        key,
        fmt::format("{} does nothing with fit.learning_rate_scaling = none; give linear or sqrt, or leave "
                    "{} out",
                    reader.text(key), key));
  };
  if (reader.number("fit.warmup_epochs", 0) > 0) refuse("fit.warmup_epochs");
  if (configuration.has("fit.reference_batch_size")) refuse("fit.reference_batch_size");
}

}  // namespace

void refuse_idle_keys(const Configuration& configuration) {
  const Reader reader(configuration);
  const auto given = [&](const char* key) { return !reader.text(key).empty(); };
  if (configuration.has("fit.fold") && !given("data.folds"))
    reader.fail("fit.fold", reader.text("fit.fold") +
                                " does nothing without data.folds; give data.folds = K, of which fit.fold "
                                "validates, or leave fit.fold out");
  for (const char* key : {"data.validation_targets", "data.validation_sample_weight"}) {
    if (given(key) && !given("data.validation_inputs"))
      reader.fail(key, reader.text(key) +
                           " does nothing without data.validation_inputs; give the source of the "
                           "validation's inputs, too, or leave it out");
  }
  data::TableOptions table;
  table.columns = reader.raw("data.columns");
  if (given("data.sample_weight") && data::has_part(table, "weight"))
    reader.fail("data.sample_weight", reader.text("data.sample_weight") +
                                          " stands beside a column of kind weight in data.columns = " +
                                          table.columns + "; give one of the two");
  refuse_without_scaling(reader, configuration);
  refuse_repeated_class(reader);
}

}  // namespace nntrain::train
