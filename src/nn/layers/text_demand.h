#pragma once
// Layers whose inputs are text: what whoever reads it has to know (core/text_codes.h).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/text_codes.h"

namespace nntrain::nn {

/// What the first layer of `model` (Input may stand before it) that does not pass on what it is given wants
/// of text; nullopt: the model's inputs are numbers. Of layers that cannot be made too: whoever builds the
/// model says what is wrong, and where. Pure. LayerError: a StringLookup behind a layer that gives numbers,
/// told before a table is read as numbers.
std::optional<TextCodes> text_demand(const std::vector<Json>& model);

/// The canonical StringLookup `spec`, which lacks a vocabulary, with this one.
Json with_vocabulary(Json spec, const std::vector<std::string>& words);

// Private to nn.

/// config["vocabulary"] of a StringLookup without special words. Throws InputError: not texts.
std::vector<std::string> string_vocabulary(const Json& config);
/// The argument salt: an integer, or two of them; nullopt: None. Throws InputError naming `layer`.
std::optional<std::array<std::uint64_t, 2>> hash_salt(const Json& config, const std::string& layer);

}  // namespace nntrain::nn
