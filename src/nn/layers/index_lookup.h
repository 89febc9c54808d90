#pragma once
// What IntegerLookup and StringLookup have in common (keras/src/layers/preprocessing/index_lookup.py).

#include <cstdint>
#include <string>

#include "nn/layers/category_layer.h"

namespace nntrain::nn {

/// Indices: the mask (where there is one, output_mode "int"), then num_oov_indices for what the vocabulary
/// does not have, then its words.
class IndexLookup : public CategoryLayer {
 protected:
  IndexLookup(const Json& config, const std::string& layer);

  std::int64_t depth() const override { return size_; }
  bool has_mask() const { return has_mask_; }
  std::int64_t unknown_indices() const { return unknown_; }
  std::int64_t mask_indices() const { return has_mask_ && mode() == OutputMode::kIndex ? 1 : 0; }
  std::int64_t first_word() const { return mask_indices() + unknown_; }
  std::int64_t index_of_mask() const { return mode() == OutputMode::kIndex ? 0 : kDropped; }
  /// How many indices there are with `words` words, checked against max_tokens.
  void take_size(const Json& config, const std::string& layer, std::size_t words);

 private:
  bool has_mask_;
  std::int64_t unknown_, size_ = 0;
};

/// config["vocabulary"] without the special words that Keras may have in front of it: the mask, then
/// oov_token num_oov_indices times.
Json plain_vocabulary(const Json& config);

/// How many words a layer may learn: max_tokens without the special ones.
std::int64_t most_learned_words(const Json& config);

}  // namespace nntrain::nn
