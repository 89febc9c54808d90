#pragma once
// A configuration value written as in Keras, parsed into the value that Keras keeps in its files.
//   relu                                 -> "relu"
//   Dense(500, activation="relu")        ->
//   {"class_name":"Dense","args":[500],"config":{"activation":"relu"}} keras.optimizers.Adam(1e-3) ->
//   {"class_name":"Adam","args":[0.001],"config":{}} (28, 28)  [1, 2]  {0: 1.0, 1: 2.5}   -> arrays, objects;
//   True/None/1e-3/"text" -> JSON's
// Positional arguments stay in "args" until a Registry, which knows their names, resolves them.

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace nntrain {

/// Parses one value. Sums and products of numbers (1/255, 100*15, 1 - 0.04) are evaluated. A bare word is a
/// string. Throws InputError with the position of the first character that does not fit.
Json parse_call(std::string_view text);

/// Parses `a, b(c, d), "e"` into its items.
std::vector<Json> parse_call_list(std::string_view text);

/// Writes a canonical {class_name, config} (or plain value) back as a call: `Dense(units=500, ...)`.
std::string format_call(const Json& value);

}  // namespace nntrain
