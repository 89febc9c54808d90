#include "nn/layers/index_lookup.h"

#include <algorithm>
#include <limits>

#include "core/error.h"

namespace nntrain::nn {

namespace {

std::int64_t special_words(const Json& config) {
  const bool mask = !config["mask_token"].is_null() && config["output_mode"] == "int";
  return config["num_oov_indices"].get<std::int64_t>() + (mask ? 1 : 0);
}

}  // namespace

IndexLookup::IndexLookup(const Json& config, const std::string& layer)
    : CategoryLayer(output_mode(config, layer, true)),
      has_mask_(!config["mask_token"].is_null()),
      unknown_(config["num_oov_indices"].get<std::int64_t>()) {
  if (unknown_ >= 0) return;
  throw InputError("The value of `num_oov_indices` argument for `" + layer +
                   "` must >= 0. Received: num_oov_indices=" + std::to_string(unknown_));
}

void IndexLookup::take_size(const Json& config, const std::string& layer, std::size_t words) {
  size_ = first_word() + static_cast<std::int64_t>(words);
  const bool pads = config["pad_to_max_tokens"].get<bool>();
  if (config["max_tokens"].is_null()) {
    if (pads) throw InputError("If pad_to_max_tokens is True, must set `max_tokens`.");
    return;
  }
  const auto most = config["max_tokens"].get<std::int64_t>();
  if (most <= 1)
    throw InputError("If `max_tokens` is set for `" + layer +
                     "`, it must be greater than 1. Received: " + std::to_string(most));
  if (size_ > most)
    throw InputError(
        "Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size is " +
        std::to_string(size_) + "; `max_tokens` is " + std::to_string(most) + ".");
  if (pads && mode() != OutputMode::kIndex) size_ = most;
}

Json plain_vocabulary(const Json& config) {
  Json words = config["vocabulary"];
  const auto special = static_cast<std::size_t>(special_words(config));
  if (words.size() < special) return words;
  const bool mask = !config["mask_token"].is_null() && config["output_mode"] == "int";
  for (std::size_t i = 0; i < special; ++i)
    if (words[i] != config[i == 0 && mask ? "mask_token" : "oov_token"]) return words;
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(special));
  return words;
}

std::int64_t most_learned_words(const Json& config) {
  if (config["max_tokens"].is_null()) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(0, config["max_tokens"].get<std::int64_t>() - special_words(config));
}

}  // namespace nntrain::nn
