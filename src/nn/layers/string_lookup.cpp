// StringLookup: the place of a word in a vocabulary (keras/src/layers/preprocessing/string_lookup.py). The
// words are looked up where the table is read (core/text_codes.h); here their codes become indices.

#include <unordered_set>

#include "core/call.h"
#include "nn/layers/index_lookup.h"
#include "nn/layers/layer_registry.h"
#include "nn/layers/text_demand.h"

namespace nntrain::nn {

namespace {

class StringLookup : public IndexLookup {
 public:
  explicit StringLookup(const Json& config) : IndexLookup(config, "StringLookup") {
    (void)hash_salt(config, "StringLookup");
    if (config["vocabulary"].is_null()) {
      throw InputError(
          "StringLookup: without vocabulary it wants to learn one from the training rows, which works where "
          "training starts and the layer comes first; here, give vocabulary=[...]");
    }
    const std::vector<std::string> words = string_vocabulary(config);
    if (words.empty()) throw InputError("StringLookup: Cannot set an empty vocabulary.");
    std::unordered_set<std::string> seen;
    for (const std::string& word : words) {
      if (has_mask() && word == config["mask_token"])
        throw InputError("Found reserved mask token at unexpected location in `vocabulary`: \"" + word +
                         "\"");
      if (!seen.insert(word).second)
        throw InputError("The passed vocabulary has at least one repeated term: \"" + word + "\"");
    }
    words_ = static_cast<std::int64_t>(words.size());
    take_size(config, "StringLookup", words.size());
    if (depth() >= kMostTextCodes)
      throw InputError("StringLookup: " + std::to_string(depth()) + " indices; float32 counts to " +
                       std::to_string(kMostTextCodes));
  }
  Text takes_text() const override { return Text::kAlways; }

 protected:
  std::int64_t index_of(float code) const override {
    if (code == kMaskCode) return has_mask() ? index_of_mask() : kNone;
    if (!is_whole(code)) return kNone;
    if (code < 0) return bucket_of(code) < unknown_indices() ? mask_indices() + bucket_of(code) : kNone;
    const auto place = static_cast<std::int64_t>(code);
    return place < words_ ? first_word() + place : kNone;
  }

 private:
  std::int64_t words_ = 0;
};

}  // namespace

std::vector<std::string> string_vocabulary(const Json& config) {
  std::vector<std::string> words;
  for (const Json& word : plain_vocabulary(config)) {
    if (!word.is_string())
      throw InputError("StringLookup: vocabulary must be texts, got " + format_call(word));
    words.push_back(word.get<std::string>());
  }
  return words;
}

void add_string_lookup(Registry<Layer>& registry) {
  add_preprocessing_layer(
      registry,
      {"StringLookup",
       {"string_lookup"},
       {{"max_tokens", Kind::kInteger, nullptr, false, true},
        {"num_oov_indices", Kind::kInteger, 1},
        {"mask_token", Kind::kText, nullptr, false, true},
        {"oov_token", Kind::kText, "[UNK]", false, true},
        {"vocabulary", Kind::kList, nullptr, false, true},
        unsupported_parameter("idf_weights"),
        unsupported_parameter("invert", false),
        output_mode_parameter("int"),
        {"pad_to_max_tokens", Kind::kBoolean, false},
        unsupported_parameter("sparse", false),
        unsupported_parameter("encoding", "utf-8"),
        {"salt", Kind::kAny, nullptr, false, true},
        {"oov_method", Kind::kText, "floormod"}},
       "the place of a word in a vocabulary, given or learned from the training rows, the most frequent "
       "first; as the first layer, whose inputs are a table's columns as text (keras.layers.StringLookup, "
       "adapt)"},
      [](const Json& config) { return std::make_unique<StringLookup>(config); });
}

}  // namespace nntrain::nn
