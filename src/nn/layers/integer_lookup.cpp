// IntegerLookup: the place of a whole number in a vocabulary
// (keras/src/layers/preprocessing/index_lookup.py).

#include <unordered_map>
#include <vector>

#include "core/call.h"
#include "core/fingerprint.h"
#include "nn/layers/index_lookup.h"
#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

namespace {

class IntegerLookup : public IndexLookup {
 public:
  explicit IntegerLookup(const Json& config)
      : IndexLookup(config, "IntegerLookup"),
        invert_(config["invert"].get<bool>()),
        oov_word_(config["oov_token"].is_null() ? -1 : config["oov_token"].get<std::int64_t>()) {
    if (invert_ && mode() != OutputMode::kIndex)
      throw InputError("`output_mode` must be `'int'` when `invert` is true. Received: output_mode=" +
                       config["output_mode"].get<std::string>());
    if (has_mask()) mask_ = config["mask_token"].get<std::int64_t>();
    take_hash(config);
    take_words(config);
    take_size(config, "IntegerLookup", words_.size());
  }

  std::int64_t output_indices() const override { return invert_ ? 0 : CategoryLayer::output_indices(); }
  std::string value_demand() const override {
    if (invert_) return "whole numbers";
    if (unknown_indices() == 0) return "the numbers of its vocabulary (num_oov_indices = 0)";
    return "whole numbers, at most " + std::to_string(kMostWhole) + " away from 0, where float32 is exact";
  }
  bool takes(float x) const override { return invert_ ? is_whole(x) : CategoryLayer::takes(x); }

  void forward(const BatchContext& context, const float* x, float* y) override {
    if (!invert_) return CategoryLayer::forward(context, x, y);
    for (std::int64_t i = 0; i < context.rows * values_; ++i) y[i] = static_cast<float>(word_of(x[i]));
  }

  Shape build(const Shape& input, VariableBuilder& variables) override {
    values_ = input.size();
    return CategoryLayer::build(input, variables);
  }

 protected:
  std::int64_t index_of(float x) const override {
    if (!is_whole(x)) return kNone;
    const auto number = static_cast<std::int64_t>(x);
    if (has_mask() && number == mask_) return index_of_mask();
    const auto found = places_.find(number);
    if (found != places_.end()) return found->second;
    if (unknown_indices() == 0) return kNone;
    return mask_indices() + (unknown_indices() == 1 ? 0 : bucket(number));
  }

 private:
  std::int64_t word_of(float x) const {
    if (has_mask() && x == 0) return mask_;
    const std::int64_t at = is_whole(x) ? static_cast<std::int64_t>(x) - first_word() : -1;
    return at >= 0 && at < static_cast<std::int64_t>(words_.size()) ? words_[static_cast<std::size_t>(at)]
                                                                    : oov_word_;
  }

  std::int64_t bucket(std::int64_t number) const {
    if (!farm_)
      return ((number % unknown_indices()) + unknown_indices()) % unknown_indices();  // the floor's remainder
    return static_cast<std::int64_t>(farm_fingerprint(number) %
                                     static_cast<std::uint64_t>(unknown_indices()));
  }

  void take_hash(const Json& config) {
    const std::string method = config["oov_method"].get<std::string>();
    farm_ = method == "farmhash";
    if (!farm_ && method != "floormod")
      throw InputError("IntegerLookup: oov_method must be \"floormod\" or \"farmhash\", got \"" + method +
                       "\"");
  }

  void take_words(const Json& config) {
    const Json& given = config["vocabulary"];
    if (given.is_null()) {
      throw InputError(
          "IntegerLookup: without vocabulary it wants to learn one from the training rows, which works where "
          "training starts and the layer sees the inputs as they are; here, give vocabulary=[...]");
    }
    for (const Json& word : plain_vocabulary(config)) {
      if (!word.is_number_integer())
        throw InputError("IntegerLookup: vocabulary must be whole numbers, got " + format_call(word));
      words_.push_back(word.get<std::int64_t>());
    }
    if (words_.empty()) throw InputError("IntegerLookup: Cannot set an empty vocabulary.");
    for (const std::int64_t word : words_) {
      if (std::abs(word) > kMostWhole)
        throw InputError("IntegerLookup: vocabulary holds " + std::to_string(word) +
                         "; inputs are float32, which is exact up to " + std::to_string(kMostWhole));
      if (has_mask() && word == mask_)
        throw InputError("Found reserved mask token at unexpected location in `vocabulary`: " +
                         std::to_string(word));
      if (!places_.emplace(word, first_word() + static_cast<std::int64_t>(places_.size())).second)
        throw InputError("The passed vocabulary has at least one repeated term: " + std::to_string(word));
    }
  }

  bool invert_, farm_ = false;
  std::int64_t oov_word_, mask_ = 0, values_ = 1;
  std::vector<std::int64_t> words_;
  std::unordered_map<std::int64_t, std::int64_t> places_;
};

}  // namespace

void add_integer_lookup(Registry<Layer>& registry) {
  add_preprocessing_layer(
      registry,
      {"IntegerLookup",
       {"integer_lookup"},
       {{"max_tokens", Kind::kInteger, nullptr, false, true},
        {"num_oov_indices", Kind::kInteger, 1},
        {"mask_token", Kind::kInteger, nullptr, false, true},
        {"oov_token", Kind::kInteger, -1, false, true},
        {"vocabulary", Kind::kList, nullptr, false, true},
        unsupported_parameter("vocabulary_dtype", "int64"),
        unsupported_parameter("idf_weights"),
        {"invert", Kind::kBoolean, false},
        output_mode_parameter("int"),
        unsupported_parameter("sparse", false),
        {"pad_to_max_tokens", Kind::kBoolean, false},
        {"oov_method", Kind::kText, "floormod"},
        unsupported_parameter("salt")},
       "the place of a whole number in a vocabulary, given or learned from the training rows, the most "
       "frequent first (keras.layers.IntegerLookup, adapt)"},
      [](const Json& config) { return std::make_unique<IntegerLookup>(config); });
}

}  // namespace nntrain::nn
