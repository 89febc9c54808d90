// CategoryEncoding, Discretization and Hashing: numbers become indices or vectors of 0 and 1
// (keras/src/layers/preprocessing).

#include <algorithm>
#include <vector>

#include "core/call.h"
#include "core/fingerprint.h"
#include "nn/layers/category_layer.h"
#include "nn/layers/layer_registry.h"

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

/// The bin of a whole number by the hash of its decimal digits.
class Hashing : public CategoryLayer {
 public:
  explicit Hashing(const Json& config)
      : CategoryLayer(output_mode(config, "Hashing", true)), bins_(config["num_bins"].get<std::int64_t>()) {
    if (bins_ <= 0) {
      throw InputError(
          "The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins=" +
          std::to_string(bins_) + ".");
    }
    if (!config["mask_value"].is_null()) {
      if (!config["mask_value"].is_number_integer())
        throw InputError("Hashing: mask_value must be a whole number (texts are not inputs here), got " +
                         format_call(config["mask_value"]));
      masks_ = bins_ > 1;  // as in Keras: one bin has no room for the mask
      mask_ = config["mask_value"].get<std::int64_t>();
    }
    const Json& salt = config["salt"];
    if (salt.is_null()) return;
    const Json pair = salt.is_array() ? salt : Json::array({salt, salt});
    if (pair.size() != 2 || !pair[0].is_number_integer() || !pair[1].is_number_integer()) {
      throw InputError(
          "The `salt` argument for `Hashing` can only be a tuple of size 2 integers, or a single integer. "
          "Received: salt=" +
          format_call(salt) + ".");
    }
    salted_ = true;
    for (std::size_t i = 0; i < 2; ++i) key_[i] = static_cast<std::uint64_t>(pair[i].get<std::int64_t>());
  }
  std::string value_demand() const override {
    return "whole numbers, at most " + std::to_string(kMostWhole) + " away from 0, where float32 is exact";
  }

 protected:
  std::int64_t depth() const override { return bins_; }
  std::int64_t index_of(float x) const override {
    if (!is_whole(x)) return kNone;
    const auto number = static_cast<std::int64_t>(x);
    if (masks_ && number == mask_) return 0;
    const std::uint64_t hash = salted_ ? sip_hash(key_, number) : farm_fingerprint(number);
    const std::uint64_t first = masks_ ? 1 : 0;
    return static_cast<std::int64_t>(hash % (static_cast<std::uint64_t>(bins_) - first) + first);
  }

 private:
  std::int64_t bins_, mask_ = 0;
  bool masks_ = false, salted_ = false;
  std::array<std::uint64_t, 2> key_{};
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
  add_preprocessing_layer(
      registry,
      {"Hashing",
       {"hashing"},
       {{"num_bins", Kind::kInteger, nullptr, true},
        {"mask_value", Kind::kAny, nullptr, false, true},
        {"salt", Kind::kAny, nullptr, false, true},
        output_mode_parameter("int"),
        dense_alone},
       "the bin of a whole number by FarmHash64, with salt by SipHash (keras.layers.Hashing)"},
      [](const Json& config) { return std::make_unique<Hashing>(config); });
}

}  // namespace nntrain::nn
