#pragma once
// Every key a user may set, once: name, default and meaning. The INI file, the command line, --help and the
// text kept in checkpoints all come from this table.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace nntrain::train {

struct Key {
  std::string name;  ///< "fit.epochs"
  std::string default_value;
  std::string help;
  enum class Repeats { kNo, kYes } repeats = Repeats::kNo;  ///< may stand several times, in order
};

const std::vector<Key>& keys();
/// nullptr when there is no such key.
const Key* find_key(std::string_view name);
/// Throws InputError for an unknown key, naming `origin` and the nearest known keys.
const Key& known_key(std::string_view name, const std::string& origin);

/// Where a value came from, for messages and the log: "configs/iris.ini:12", "command line", "default".
struct Value {
  std::string text;
  std::string origin;
};

/// make(), with `origin` ("file:line: key") put before the message of an InputError.
template <class Make>
auto with_origin(const std::string& origin, Make&& make) {
  try {
    return make();
  } catch (const InputError& error) {
    throw InputError(origin + ": " + error.what());
  }
}

/// The values of one run, key by key.
class Configuration {
 public:
  /// A repeated key collects its values; any other key must not be set twice from one origin. An empty text
  /// leaves the key as if it were not given.
  void add(const std::string& key, Value value);
  /// Drops what was set so far: a higher-ranking origin replaces the whole list.
  void clear(const std::string& key) { values_.erase(key); }
  bool has(const std::string& key) const { return values_.count(key) != 0; }
  /// The text, or the key's default.
  std::string text(const std::string& key) const;
  std::vector<Value> list(const std::string& key) const;
  std::string origin(const std::string& key) const;  ///< "default" when not set
  /// The effective configuration as INI text, sections in the table's order, only what was set.
  std::string to_ini() const;

 private:
  std::map<std::string, std::vector<Value>> values_;
};

/// {"fit.epochs": ["30"], ...}: what was set, for a later comparison.
Json settings_json(const Configuration& configuration);

}  // namespace nntrain::train
