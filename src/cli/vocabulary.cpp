// docs/vocabulary.md, printed from the registries so that it cannot be out of date.

#include <map>

#include "cli/commands.h"
#include "cli/log.h"
#include "core/call.h"
#include "metrics/metric.h"
#include "nn/activations/activation.h"
#include "nn/layers/layer.h"
#include "nn/losses/loss.h"
#include "nn/variables/constraint.h"
#include "nn/variables/initializer.h"
#include "nn/variables/regularizer.h"
#include "optim/optimizer.h"
#include "train/callbacks/callback.h"

namespace nntrain::cli {

namespace {

std::string default_text(const Parameter& parameter) {
  if (parameter.required) return parameter.name;
  const Json& value = parameter.default_value;
  return parameter.name + "=" +
         (value.is_object() || !value.is_string() ? format_call(value)
                                                  : "\"" + value.get<std::string>() + "\"");
}

/// A "|" would end the cell of a table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "`" : ", `") + name + "`";
  return text;
}

std::string article(const std::string& noun) {
  return (std::string("aeiou").find(noun[0]) == std::string::npos ? "a " : "an ") + noun;
}

/// Names that Keras has and this program refuses, and arguments of which only the default is taken.
template <class Product>
std::string limits(const Registry<Product>& registry) {
  std::string text;
  for (const Refusal& refusal : registry.refusals())
    text += "| " + registry.family() + " | " + joined(refusal.names) + " | " + cell(refusal.reason) + " |\n";
  std::map<std::string, std::vector<std::string>> arguments;
  for (const Signature* signature : registry.signatures()) {
    for (const Parameter& parameter : signature->parameters) {
      if (parameter.only_default) arguments[default_text(parameter)].push_back(signature->class_name);
    }
  }
  for (const auto& [argument, classes] : arguments) {
    text += "| argument of " + article(registry.family()) + " | `" + argument + "` of " + joined(classes) +
            " | only this value |\n";
  }
  return text;
}

template <class Product>
std::string section(const std::string& title, const Registry<Product>& registry) {
  std::string text =
      "\n## " + title + "\n| name | arguments and defaults | also written | what |\n|---|---|---|---|\n";
  for (const Signature* signature : registry.signatures()) {
    std::string arguments, aliases;
    for (const Parameter& parameter : signature->parameters) {
      arguments += (arguments.empty() ? "" : ", ") + default_text(parameter);
    }
    for (const std::string& alias : signature->aliases)
      aliases += (aliases.empty() ? "`" : ", `") + alias + "`";
    text += "| `" + signature->class_name + "` | " + (arguments.empty() ? "" : "`" + arguments + "`") +
            " | " + aliases + " | " + cell(signature->summary) + " |\n";
  }
  return text;
}

}  // namespace

std::string vocabulary_text() {
  std::string text =
      "# Vocabulary\n"
      "Every name a configuration may use, printed from the program's registries by `nntrain-dist "
      "vocabulary`. Names, order and\n"
      "defaults of arguments are Keras 3's (`name=None` is Keras' own name). What is not listed here is not "
      "supported; the\n"
      "program then says so and names the nearest known words. The last section tells what of Keras that "
      "concerns.\n";
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
  text += "\n## Not supported\n| what | names | why |\n|---|---|---|\n";
  text +=
      limits(nn::layers()) + limits(nn::activations()) + limits(nn::initializers()) + limits(nn::losses());
  text += limits(metrics::metrics()) + limits(optim::optimizers()) + limits(train::callbacks());
  text += "| argument of an initializer | `input_axes`, `output_axes` | a kernel has two axes here |\n";
  text +=
      "| argument of an activation | all but those of relu, leaky_relu and elu | a Keras file keeps an "
      "activation by its name alone |\n";
  return text;
}

ExitCode vocabulary(comm::Session& session, const CommandLine& line) {
  (void)session, (void)line;
  log::info(vocabulary_text());
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
