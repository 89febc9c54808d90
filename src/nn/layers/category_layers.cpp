// CategoryEncoding, Discretization and Hashing: numbers become indices or vectors of 0 and 1
// (keras/src/layers/preprocessing).

#include <algorithm>
#include <vector>

#include "core/call.h"
#include "core/fingerprint.h"
#include "nn/layers/category_layer.h"
#include "nn/layers/layer_registry.h"
#include "nn/layers/text_demand.h"

namespace nntrain::nn {

namespace {

class CategoryEncoding : public CategoryLayer {
 public:
  explicit CategoryEncoding(const Json& config)
      : CategoryLayer(output_mode(config, "CategoryEncoding", false)) {
    if (config["num_tokens"].is_null()) {
      throw InputError(
          "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use "
          "the "
          "IntegerLookup layer instead.");
    }
    tokens_ = config["num_tokens"].get<std::int64_t>();
    if (tokens_ < 1)
      throw InputError("`num_tokens` must be >= 1. Received: num_tokens=" + std::to_string(tokens_) + ".");
  }
  std::string value_demand() const override {
    return "whole numbers from 0 to " + std::to_string(tokens_ - 1) +
           " (num_tokens = " + std::to_string(tokens_) + ")";
  }

 protected:
  std::int64_t depth() const override { return tokens_; }
  std::int64_t index_of(float x) const override {
    if (!is_whole(x) || x < 0 || static_cast<std::int64_t>(x) >= tokens_) return kNone;
    return static_cast<std::int64_t>(x);
  }

 private:
  std::int64_t tokens_ = 0;
};

/// The bin of a number: bin_boundaries = [a, b] makes (-inf, a), [a, b), [b, inf).
class Discretization : public CategoryLayer {
 public:
  explicit Discretization(const Json& config) : CategoryLayer(output_mode(config, "Discretization", true)) {
    const Json& given = config["bin_boundaries"];
    if (given.is_null()) {
      if (config["num_bins"].is_null())
        throw InputError("You need to set either `num_bins` or `bin_boundaries`.");
      throw InputError(
          "Discretization: num_bins wants to learn bin_boundaries from the training rows, which works where "
          "training starts and the layer sees the inputs as they are; here, give bin_boundaries=[...]");
    }
    for (const Json& boundary : given) {
      if (!boundary.is_number())
        throw InputError("Discretization: bin_boundaries must be numbers, got " + format_call(given));
      boundaries_.push_back(boundary.get<float>());
    }
    if (!std::is_sorted(boundaries_.begin(), boundaries_.end()))
      throw InputError("Discretization: bin_boundaries must increase, got " + format_call(given));
  }

 protected:
  std::int64_t depth() const override { return static_cast<std::int64_t>(boundaries_.size()) + 1; }
  std::int64_t index_of(float x) const override {
    if (x != x) return kNone;
    return std::upper_bound(boundaries_.begin(), boundaries_.end(), x) - boundaries_.begin();
  }

 private:
  std::vector<float> boundaries_;  // increasing
};

/// The bin of a whole number by the hash of its decimal digits, or of a word; words are hashed where the
/// table is read (core/text_codes.h).
class Hashing : public CategoryLayer {
 public:
  explicit Hashing(const Json& config)
      : CategoryLayer(output_mode(config, "Hashing", true)), bins_(config["num_bins"].get<std::int64_t>()) {
    if (bins_ <= 0) {
      throw InputError(
          "The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins=" +
          std::to_string(bins_) + ".");
    }
    const Json& mask = config["mask_value"];
    if (!mask.is_null()) {
      if (!mask.is_number_integer() && !mask.is_string())
        throw InputError("Hashing: mask_value must be a whole number, or a text where inputs are text, got " +
                         format_call(mask));
      masks_ = bins_ > 1;  // as in Keras: one bin has no room for the mask
      masks_text_ = mask.is_string();
      if (!masks_text_) mask_ = mask.get<std::int64_t>();
    }
    key_ = hash_salt(config, "Hashing");
  }
  std::string value_demand() const override {
    if (text_) return "";
    return "whole numbers, at most " + std::to_string(kMostWhole) + " away from 0, where float32 is exact";
  }
  Text takes_text() const override { return Text::kWhenTold; }
  void take_text() override { text_ = true; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    if (masks_ && masks_text_ != text_)
      throw InputError("layer \"" + name() + "\": mask_value is " +
                       (text_ ? "a number, but inputs are text"
                              : "a text, but inputs are numbers; Input(..., dtype=\"string\") says that they "
                                "are text"));
    return CategoryLayer::build(input, variables);
  }

 protected:
  std::int64_t depth() const override { return bins_; }
  std::int64_t index_of(float x) const override {
    const std::int64_t first = masks_ ? 1 : 0;
    if (text_ && x == kMaskCode) return masks_ ? 0 : kNone;
    if (!is_whole(x)) return kNone;
    if (text_) return x < 0 && first + bucket_of(x) < bins_ ? first + bucket_of(x) : kNone;
    const auto number = static_cast<std::int64_t>(x);
    if (masks_ && number == mask_) return 0;
    const std::uint64_t hash = key_ ? sip_hash(*key_, number) : farm_fingerprint(number);
    return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(bins_ - first)) + first;
  }

 private:
  std::int64_t bins_, mask_ = 0;
  bool masks_ = false, masks_text_ = false, text_ = false;
  std::optional<std::array<std::uint64_t, 2>> key_;
};

}  // namespace

void add_category_layers(Registry<Layer>& registry) {
  const Parameter dense_alone = unsupported_parameter("sparse", false);
  add_preprocessing_layer(
      registry,
      {"CategoryEncoding",
       {"category_encoding"},
       {{"num_tokens", Kind::kInteger, nullptr, false, true},
        output_mode_parameter("multi_hot"),
        dense_alone},
       "indices below num_tokens as vectors of 0 and 1, or of counts (keras.layers.CategoryEncoding)"},
      [](const Json& config) { return std::make_unique<CategoryEncoding>(config); });
  add_preprocessing_layer(
      registry,
      {"Discretization",
       {"discretization"},
       {{"bin_boundaries", Kind::kList, nullptr, false, true},
        {"num_bins", Kind::kInteger, nullptr, false, true},
        {"epsilon", Kind::kNumber, 0.01},
        output_mode_parameter("int"),
        dense_alone},
       "the bin of a number between given boundaries, or between num_bins quantiles of the "
       "training rows (keras.layers.Discretization, adapt)"},
      [](const Json& config) { return std::make_unique<Discretization>(config); });
  add_preprocessing_layer(registry,
                          {"Hashing",
                           {"hashing"},
                           {{"num_bins", Kind::kInteger, nullptr, true},
                            {"mask_value", Kind::kAny, nullptr, false, true},
                            {"salt", Kind::kAny, nullptr, false, true},
                            output_mode_parameter("int"),
                            dense_alone},
                           "the bin of a whole number, or behind Input(..., dtype=\"string\") of a word, by "
                           "FarmHash64, with salt "
                           "by SipHash (keras.layers.Hashing)"},
                          [](const Json& config) { return std::make_unique<Hashing>(config); });
}

}  // namespace nntrain::nn
