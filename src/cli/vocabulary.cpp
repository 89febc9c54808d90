// docs/vocabulary.md, printed from the registries so that it cannot be out of date.

#include "cli/commands.h"
#include "nntrain/core/call.h"
#include "nntrain/core/log.h"
#include "nntrain/metrics/metric.h"
#include "nntrain/nn/activation.h"
#include "nntrain/nn/constraint.h"
#include "nntrain/nn/initializer.h"
#include "nntrain/nn/layer.h"
#include "nntrain/nn/loss.h"
#include "nntrain/nn/regularizer.h"
#include "nntrain/optim/optimizer.h"
#include "nntrain/train/callback.h"

namespace nntrain::cli {

namespace {

std::string default_text(const Parameter& parameter) {
  if (parameter.required) return parameter.name;
  const Json& value = parameter.default_value;
  return parameter.name + "=" + (value.is_object() || !value.is_string() ? format_call(value) : "\"" + value.get<std::string>() + "\"");
}

template <class Product>
std::string section(const std::string& title, const Registry<Product>& registry) {
  std::string text = "\n## " + title + "\n| name | arguments and defaults | also written | what |\n|---|---|---|---|\n";
  for (const Signature* signature : registry.signatures()) {
    std::string arguments, aliases;
    for (const Parameter& parameter : signature->parameters) {
      arguments += (arguments.empty() ? "" : ", ") + default_text(parameter);
    }
    for (const std::string& alias : signature->aliases) aliases += (aliases.empty() ? "`" : ", `") + alias + "`";
    text += "| `" + signature->class_name + "` | " + (arguments.empty() ? "" : "`" + arguments + "`") + " | " + aliases + " | " +
            signature->summary + " |\n";
  }
  return text;
}

}  // namespace

std::string vocabulary_text() {
  std::string text =
      "# Vocabulary\n"
      "Every name a configuration may use, printed from the program's registries by `nntrain-dist vocabulary`. Names, order and\n"
      "defaults of arguments are Keras 3's. What is not listed here is not supported; the program then says so and names the\n"
      "nearest known words.\n";
  text += section("Layers", nn::layers());
  text += section("Activations", nn::activations());
  text += section("Initializers", nn::initializers());
  text += section("Regularizers", nn::regularizers());
  text += section("Constraints", nn::constraints());
  text += section("Losses", nn::losses());
  text += section("Metrics", metrics::metrics());
  text += section("Optimizers", optim::optimizers());
  text += section("Learning-rate schedules", optim::schedules());
  text += section("Callbacks", train::callbacks());
  return text;
}

ExitCode vocabulary() {
  log::info(vocabulary_text());
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
