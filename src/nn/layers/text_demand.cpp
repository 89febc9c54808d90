#include "nn/layers/text_demand.h"

#include <algorithm>

#include "core/call.h"
#include "core/error.h"
#include "nn/layers/index_lookup.h"
#include "nn/layers/input_layer.h"
#include "nn/layers/layer.h"
#include "nn/layers/layer_error.h"

namespace nntrain::nn {

namespace {

TextCodes codes_of_lookup(const Json& config) {
  TextCodes codes;
  codes.layer = "StringLookup";
  if (!config["vocabulary"].is_null()) codes.vocabulary = string_vocabulary(config);
  codes.most_words = std::min(most_learned_words(config), kMostTextCodes);
  codes.buckets = std::max<std::int64_t>(0, config["num_oov_indices"].get<std::int64_t>());
  if (!config["oov_token"].is_null()) codes.left_out = config["oov_token"].get<std::string>();
  if (!config["mask_token"].is_null()) codes.mask = config["mask_token"].get<std::string>();
  codes.salt = hash_salt(config, codes.layer);
  return codes;
}

/// No words: all are hashed.
TextCodes codes_of_hashing(const Json& config) {
  TextCodes codes;
  codes.layer = "Hashing";
  codes.vocabulary.emplace();
  codes.buckets = std::max<std::int64_t>(1, config["num_bins"].get<std::int64_t>());
  codes.salt = hash_salt(config, codes.layer);
  if (!config["mask_value"].is_string() || codes.buckets < 2) return codes;
  codes.mask = config["mask_value"].get<std::string>();
  --codes.buckets;
  return codes;
}

std::optional<TextCodes> demand_of(const Json& spec, bool of_text) {
  const bool lookup = spec["class_name"] == "StringLookup";
  if (!lookup && !(of_text && spec["class_name"] == "Hashing")) return std::nullopt;
  try {
    return lookup ? codes_of_lookup(spec["config"]) : codes_of_hashing(spec["config"]);
  } catch (const InputError&) {
    TextCodes any;
    any.layer = spec["class_name"].get<std::string>();
    any.vocabulary.emplace();
    return any;
  }
}

bool says_text(const Json& input) {
  try {
    return is_text_input(input);
  } catch (const InputError&) {
    return false;
  }
}

bool passes_on(const Json& spec) {
  try {
    return layers().make(spec)->keeps_values();
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

std::optional<TextCodes> text_demand(const std::vector<Json>& model) {
  bool of_text = false;
  std::string gives_numbers;  // the layer that does, once there is one
  for (std::size_t i = 0; i < model.size(); ++i) {
    const Json& layer = model[i];
    if (is_input(layer)) {
      of_text = says_text(layer);
      continue;
    }
    const Json spec = layers().canonical(layer);
    if (!gives_numbers.empty() && spec["class_name"] == "StringLookup") {
      throw LayerError(i, "a layer StringLookup takes text, but the layer " + gives_numbers +
                              " before it gives numbers; it must come first, or behind Flatten and its like");
    }
    if (!gives_numbers.empty()) continue;
    if (std::optional<TextCodes> codes = demand_of(spec, of_text)) return codes;
    if (!passes_on(spec)) gives_numbers = spec["class_name"].get<std::string>();
  }
  return std::nullopt;
}

Json with_vocabulary(Json spec, const std::vector<std::string>& words) {
  spec["config"]["vocabulary"] = words;
  return spec;
}

std::optional<std::array<std::uint64_t, 2>> hash_salt(const Json& config, const std::string& layer) {
  const Json& salt = config["salt"];
  if (salt.is_null()) return std::nullopt;
  const Json pair = salt.is_array() ? salt : Json::array({salt, salt});
  if (pair.size() != 2 || !pair[0].is_number_integer() || !pair[1].is_number_integer()) {
    throw InputError("The `salt` argument for `" + layer +
                     "` can only be a tuple of size 2 integers, or a single integer. Received: salt=" +
                     format_call(salt) + ".");
  }
  std::array<std::uint64_t, 2> key{};
  for (std::size_t i = 0; i < 2; ++i) key[i] = static_cast<std::uint64_t>(pair[i].get<std::int64_t>());
  return key;
}

}  // namespace nntrain::nn
