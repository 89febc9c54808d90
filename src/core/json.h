#pragma once
// The one value type for everything a user names: numbers, strings, lists, {class_name, config}.
// Keys keep their order, as in Keras' files.

#include <nlohmann/json.hpp>

namespace nntrain {
using Json = nlohmann::ordered_json;
}
