#include "core/registry.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <set>

#include "core/call.h"

namespace nntrain {

namespace {

/// Levenshtein distance, letters compared without case; some number above `most` when it is above `most`, so
/// that words from outside, which may be very long, cost no time.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  const std::size_t longer = std::max(a.size(), b.size()) - std::min(a.size(), b.size());
  if (longer > most) return longer;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
    if (*std::min_element(row.begin(), row.end()) > most) return most + 1;
  }
  return row[b.size()];
}

/// Of a snake_case name: "learning_rate" -> "lr".
std::string initials(const std::string& name) {
  std::string first;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i == 0 || name[i - 1] == '_') first += name[i];
  }
  return first;
}

/// "ExpDecay" of "ExponentialDecay": the same first letter, the others in order, at least half of them.
bool is_abbreviation(std::string_view name, const std::string& candidate) {
  if (name.size() < 4 || 2 * name.size() < candidate.size() || name[0] != candidate[0]) return false;
  std::size_t at = 0;
  for (const char c : candidate) {
    if (at < name.size() && name[at] == c) ++at;
  }
  return at == name.size();
}

/// Without case and underscores: "MeanSquaredError" and "mean_squared_error" are one name.
std::string letters(const std::string& name) {
  std::string bare;
  for (const char c : name) {
    if (c != '_') bare += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return bare;
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
      return "a whole number";
    case Kind::kNumber:
      return "a number";
    case Kind::kBoolean:
      return "True or False";
    case Kind::kText:
      return "a text";
    case Kind::kList:
      return "a list";
    default:
      return "a value";
  }
}

/// `value` as the parameter's kind keeps it in JSON; null JSON type `discarded` when it does not fit.
Json converted(const Parameter& parameter, const Json& value) {
  if (value.is_null() && (parameter.nullable || parameter.kind == Kind::kAny)) return value;
  switch (parameter.kind) {
    case Kind::kInteger:
      if (value.is_number_integer()) return value;
      if (value.is_number_float() && std::abs(value.get<double>()) < 9e15 &&
          value.get<double>() == std::floor(value.get<double>())) {
        return value.get<std::int64_t>();
      }
      break;
    case Kind::kNumber:
      if (value.is_number()) return value.get<double>();
      break;
    case Kind::kBoolean:
      if (value.is_boolean()) return value;
      break;
    case Kind::kText:
      if (value.is_string()) return value;
      break;
    case Kind::kList:
      if (value.is_array()) return value;
      break;
    case Kind::kObject:
      return parameter.canonical ? parameter.canonical(value) : value;
    case Kind::kAny:
      return value;
  }
  return Json(Json::value_t::discarded);
}

/// Arguments that Keras renamed and still takes.
struct OldName {
  const char *class_name, *old_name, *new_name;
};
constexpr OldName kOldNames[] = {{"LeakyReLU", "alpha", "negative_slope"},
                                 {"Input", "input_shape", "shape"},
                                 {"Input", "batch_input_shape", "batch_shape"}};

void assign(const std::string& where, const Parameter& parameter, const Json& value, Json& config) {
  Json fitting;
  try {
    fitting = converted(parameter, value);
  } catch (const InputError& error) {
    throw InputError(where + ", argument \"" + parameter.name + "\": " + error.what());
  }
  if (fitting.is_discarded()) {
    throw InputError(where + ": argument \"" + parameter.name + "\" must be " + kind_name(parameter.kind) +
                     (parameter.nullable ? " or None" : "") + ", got " + format_call(value));
  }
  config[parameter.name] = std::move(fitting);
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& candidate : known) {
    const std::size_t most = std::max<std::size_t>(2, std::max(name.size(), candidate.size()) / 3);
    const std::size_t distance = edit_distance(name, candidate, most);
    const bool near = distance <= most;
    const bool part =
        name.size() >= 3 && (candidate.find(name) != std::string::npos || is_abbreviation(name, candidate));
    const bool initial = name.size() >= 2 && initials(candidate) == name;
    if (near && distance >= candidate.size()) continue;  // no letter in common
    if (near || part || initial)
      ranked.emplace_back(initial ? 1 : part ? std::min<std::size_t>(distance, 2) : distance, candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  std::set<std::string> spelled;
  for (const auto& [distance, candidate] : ranked) {
    if (spelled.size() == 3) break;
    if (spelled.insert(letters(candidate)).second) text += (text.empty() ? "\"" : ", \"") + candidate + "\"";
  }
  return text;
}

namespace detail {

std::string unknown_name(const std::string& family, const std::string& name,
                         const std::vector<std::string>& known, const std::vector<std::string>& class_names,
                         const std::vector<Refusal>& refusals) {
  constexpr std::size_t kFew = 12;
  std::string message = "unknown " + family + " \"" + name + "\"";
  for (const Refusal& refusal : refusals) {
    if (std::find(refusal.names.begin(), refusal.names.end(), name) == refusal.names.end()) continue;
    message = "the " + family + " \"" + name + "\" of Keras is not supported: " + refusal.reason;
  }
  const std::string near = nearest(name, known);
  if (!near.empty()) return message + "; did you mean " + near + "?";
  if (class_names.size() > kFew) return message + "; `nntrain-dist vocabulary` lists the known ones";
  std::string list;
  for (const std::string& class_name : class_names) list += (list.empty() ? "" : ", ") + class_name;
  return message + "; the known ones: " + list;
}

namespace {

bool is_keras_module(const Json& module) {
  if (!module.is_string()) return false;
  const std::string name = module.get<std::string>();
  if (name == "keras" || name == "builtins") return true;
  for (const char* package : {"keras.", "tf_keras.", "tensorflow."}) {
    if (name.starts_with(package)) return true;
  }
  return false;
}

/// A class or function of the user's own: "package>Name", or one that Keras wrote with its Python module. It
/// may bear the name of a built-in one and compute something else. TF 2.11 to 2.15 write every optimizer of
/// theirs as "Custom>SGD".
bool is_custom(const std::string& family, const std::string& name, const Json& spec) {
  const auto packaged = [&](const std::string& text) {
    const bool tensorflow = family == "optimizer" && text.starts_with("Custom>");
    return text.find('>') != std::string::npos && !tensorflow;
  };
  if (packaged(name)) return true;
  if (!spec.is_object()) return false;
  const Json registered = spec.value("registered_name", Json());
  if (!registered.is_string()) return false;
  const std::string text = registered.get<std::string>();
  if (family == "optimizer" && text.starts_with("Custom>")) return false;
  return packaged(text) || !is_keras_module(spec.value("module", Json()));
}

}  // namespace

std::string spec_name(const std::string& family, const Json& spec) {
  Json name = spec;
  if (spec.is_object() && spec.contains("class_name")) {
    name = spec["class_name"];
    if (name == "function" && spec.contains("config")) name = spec["config"];
  }
  if (!name.is_string()) {
    throw InputError("a name or a call is expected for the " + family + ", got " + format_call(spec));
  }
  std::string text = name.get<std::string>();
  if (is_custom(family, text, spec)) {
    const Json registered = spec.is_object() ? spec.value("registered_name", Json()) : Json();
    const bool longer =
        registered.is_string() && text.find('>') == std::string::npos && registered != "function";
    throw InputError(
        "the " + family + " \"" + (longer ? registered.get<std::string>() : text) +
        "\" is a custom object, code in somebody's Python program, which a file does not hold; only "
        "Keras' own can be taken");
  }
  const std::size_t prefix = text.find_last_of(".>");  // keras.layers.Dense, Custom>SGD
  return prefix == std::string::npos ? text : text.substr(prefix + 1);
}

Json resolve(const std::string& family, const Signature& signature, const Json& spec) {
  const std::string where = family + " " + signature.class_name;
  Json given = Json::object();
  const bool has_config = spec.is_object() && spec.contains("config") && spec["config"].is_object();
  if (spec.is_object() && spec.contains("args")) {
    const Json& arguments = spec["args"];
    if (arguments.size() > signature.parameters.size()) {
      throw InputError(where + " takes at most " + std::to_string(signature.parameters.size()) +
                       " arguments, got " + std::to_string(arguments.size()));
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) given[signature.parameters[i].name] = arguments[i];
  }
  if (has_config) {
    for (const auto& [key, value] : spec["config"].items()) {
      if (given.contains(key)) throw InputError(where + ": argument \"" + key + "\" is given twice");
      given[key] = value;
    }
  }
  for (const auto& [class_name, old_name, new_name] : kOldNames) {
    if (signature.class_name != class_name || !given.contains(old_name) || given.contains(new_name)) continue;
    given[new_name] = given[old_name];
    given.erase(old_name);
  }
  Json config = Json::object();
  for (const Parameter& parameter : signature.parameters) {
    if (given.contains(parameter.name)) {
      assign(where, parameter, given[parameter.name], config);
      given.erase(parameter.name);
    } else if (parameter.required) {
      throw InputError(where + ": argument \"" + parameter.name + "\" is missing");
    } else if (parameter.kind == Kind::kObject && parameter.canonical && !parameter.default_value.is_null()) {
      config[parameter.name] = parameter.canonical(parameter.default_value);
    } else {
      config[parameter.name] = parameter.default_value;
    }
  }
  if (!given.empty()) {
    const std::string unknown = given.begin().key();
    std::vector<std::string> known;
    std::string list;
    for (const Parameter& parameter : signature.parameters) {
      known.push_back(parameter.name);
      list += (list.empty() ? "" : ", ") + parameter.name;
    }
    const std::string near = nearest(unknown, known);
    throw InputError(
        where + " has no argument \"" + unknown + "\"" +
        (near.empty() ? "; it takes " + (list.empty() ? "none" : list) : "; did you mean " + near + "?"));
  }
  return Json{{"class_name", signature.class_name}, {"config", std::move(config)}};
}

}  // namespace detail

}  // namespace nntrain
