#pragma once
// One registry per family (layers, activations, losses, ...): it turns what a user or a Keras file
// writes into one canonical {class_name, config} value, makes the object, and documents itself
// (docs/vocabulary.md is printed from it). A new member is one file and one line.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace nntrain {

/// What an argument accepts. Numbers become JSON floats for kNumber (Keras refuses `1` where it wants
/// `1.0`) and JSON integers for kInteger.
enum class Kind { kInteger, kNumber, kBoolean, kText, kList, kAny, kObject };

/// One argument of a registered name, in Keras' positional order.
struct Parameter {
  std::string name;
  Kind kind = Kind::kAny;
  Json default_value;     ///< what Keras takes when it is left out
  bool required = false;  ///< has no default
  bool nullable = false;  ///< None is allowed
  /// For kObject: canonical form of the nested value in its own family, e.g. an initializer.
  std::function<Json(const Json&)> canonical = nullptr;
  bool only_default =
      false;  ///< an argument of Keras that has no meaning here: nothing but its default is taken
};

/// Everything a registry knows of one name, without how to make it.
struct Signature {
  std::string class_name;             ///< "Dense"
  std::vector<std::string> aliases;   ///< "dense", "mse", ...: accepted spellings besides class_name
  std::vector<Parameter> parameters;  ///< in Keras' positional order
  std::string summary;                ///< one sentence for docs/vocabulary.md, with the formula's source
};

/// Names of Keras that this program knows and does not support, with the reason, a half sentence.
struct Refusal {
  std::vector<std::string> names;
  std::string reason;
};

namespace detail {
/// The resolved {class_name, config} for `spec`. Throws InputError: unknown argument (with the nearest
/// known one), wrong type, missing argument, argument given twice.
Json resolve(const std::string& family, const Signature& signature, const Json& spec);
/// The name in a spec: a string itself, {"class_name"}, {"class_name":"function","config":name};
/// prefixes such as "keras.layers." are dropped. Throws InputError, also for custom objects
/// ("package>Dense").
std::string spec_name(const std::string& family, const Json& spec);
/// The message for a name that no entry has: why (`refusals`), and the nearest of `known`, or all
/// `class_names` when these are few.
std::string unknown_name(const std::string& family, const std::string& name,
                         const std::vector<std::string>& known, const std::vector<std::string>& class_names,
                         const std::vector<Refusal>& refusals);
}  // namespace detail

/// "Did you mean" candidates: up to three of `known` nearest to `name` by edit distance, or of which it is a
/// part or the initials ("lr": learning_rate), as text `"a", "b"`; spellings of one name count once. Empty
/// when nothing is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

/// Base of everything that a registry makes: remembers the canonical value it was made from.
class Described {
 public:
  virtual ~Described() = default;
  const Json& spec() const { return spec_; }  ///< {"class_name":..., "config":{...}}, all arguments
  void set_spec(Json spec) { spec_ = std::move(spec); }

 private:
  Json spec_;
};

/// Product derives from Described. Not thread-safe while names are added.
template <class Product>
class Registry {
 public:
  /// `config` is the resolved object: every parameter is present with its declared type.
  using Make = std::function<std::unique_ptr<Product>(const Json& config)>;

  explicit Registry(std::string family) : family_(std::move(family)) {}

  void add(Signature signature, Make make) { entries_.push_back({std::move(signature), std::move(make)}); }

  /// Keras has these names, this program does not: the error then says why.
  void refuse(std::vector<std::string> names, std::string reason) {
    refusals_.push_back({std::move(names), std::move(reason)});
  }
  const std::vector<Refusal>& refusals() const { return refusals_; }
  /// Names that are resolved elsewhere ("accuracy"): only offered by "did you mean".
  void also_offer(std::vector<std::string> names) { offered_ = std::move(names); }

  /// The canonical {class_name, config}; null stays null. Throws InputError for an unknown name
  /// (with the nearest known ones) or argument.
  Json canonical(const Json& spec) const {
    if (spec.is_null()) return spec;
    return detail::resolve(family_, find(spec).signature, spec);
  }

  /// Makes the object; never null. Throws InputError as canonical() and when a value makes no sense.
  std::unique_ptr<Product> make(const Json& spec) const {
    const Entry& entry = find(spec);
    Json resolved = detail::resolve(family_, entry.signature, spec);
    std::unique_ptr<Product> product = entry.make(resolved["config"]);
    product->set_spec(std::move(resolved));
    return product;
  }

  std::vector<const Signature*> signatures() const {
    std::vector<const Signature*> all;
    for (const Entry& entry : entries_) all.push_back(&entry.signature);
    return all;
  }

  const std::string& family() const { return family_; }

 private:
  struct Entry {
    Signature signature;
    Make make;
  };

  const Entry& find(const Json& spec) const {
    const std::string name = detail::spec_name(family_, spec);
    std::vector<std::string> known = offered_, class_names;
    for (const Entry& entry : entries_) {
      if (entry.signature.class_name == name) return entry;
      known.push_back(entry.signature.class_name);
      class_names.push_back(entry.signature.class_name);
      for (const std::string& alias : entry.signature.aliases) {
        if (alias == name) return entry;
        known.push_back(alias);
      }
    }
    throw InputError(detail::unknown_name(family_, name, known, class_names, refusals_));
  }

  std::string family_;
  std::vector<Entry> entries_;
  std::vector<Refusal> refusals_;
  std::vector<std::string> offered_;
};

}  // namespace nntrain
