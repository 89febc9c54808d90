// Embedding: a row of a trained table for each index (keras/src/layers/core/embedding.py).

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

namespace {

class Embedding : public Layer {
 public:
  explicit Embedding(const Json& config)
      : config_(config),
        rows_(config["input_dim"].get<std::int64_t>()),
        width_(config["output_dim"].get<std::int64_t>()) {
    for (const auto& [name, value] : {std::pair{"input_dim", rows_}, {"output_dim", width_}}) {
      if (value > 0) continue;
      throw InputError("`" + std::string(name) + "` must be a positive integer. Received: " + name + "=" +
                       std::to_string(value));
    }
  }

  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    values_ = input.size();
    table_ = variables.add("embeddings", Shape{rows_, width_}, true,
                           make_initializer(config_["embeddings_initializer"]),
                           make_regularizer(config_["embeddings_regularizer"]),
                           make_constraint(config_["embeddings_constraint"]));
    std::vector<std::int64_t> extents = input.extents();
    extents.push_back(width_);
    return Shape(extents);
  }

  std::string value_demand() const override {
    return "whole numbers from 0 to " + std::to_string(rows_ - 1) + " (input_dim = " + std::to_string(rows_) +
           ")";
  }
  bool takes(float x) const override { return row_of(x) >= 0; }

  bool backward_reads_output() const override { return false; }

  void forward(const BatchContext& context, const float* x, float* y) override {
    for (std::int64_t i = 0; i < context.rows * values_; ++i, y += width_) {
      const std::int64_t row = row_of(x[i]);
      if (row >= 0) {
        std::copy_n(table_->values + row * width_, width_, y);
      } else {
        std::fill_n(y, width_, std::numeric_limits<float>::quiet_NaN());
      }
    }
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    if (table_->trainable) {
      gradients.add(*table_, [&](int s, float* destination) {
        std::fill_n(destination, table_->size(), 0.0F);
        const std::int64_t end = context.bounds[static_cast<std::size_t>(s) + 1] * values_;
        for (std::int64_t i = context.bounds[static_cast<std::size_t>(s)] * values_; i < end; ++i) {
          const std::int64_t row = row_of(x[i]);
          if (row < 0) continue;  // its output was NaN: the step is not taken
          float* sum = destination + row * width_;
          for (std::int64_t c = 0; c < width_; ++c) sum[c] += dy[i * width_ + c];
        }
      });
    }
    if (dx != nullptr) std::fill_n(dx, context.rows * values_, 0.0F);
  }

 private:
  /// -1: not an index.
  std::int64_t row_of(float x) const {
    // Compared as numbers: what is NaN or large has no whole number of 64 bits.
    if (!(x >= 0 && static_cast<double>(x) < static_cast<double>(rows_)) || x != std::floor(x)) return -1;
    return static_cast<std::int64_t>(x);
  }

  Json config_;
  std::int64_t rows_, width_;
  std::int64_t values_ = 1;  ///< of a sample: each becomes a vector
  Variable* table_ = nullptr;
};

}  // namespace

void add_embedding(Registry<Layer>& registry) {
  add_layer(
      registry,
      {"Embedding",
       {"embedding"},
       {{"input_dim", Kind::kInteger, nullptr, true},
        {"output_dim", Kind::kInteger, nullptr, true},
        initializer_parameter("embeddings_initializer", "uniform"),
        regularizer_parameter("embeddings_regularizer"),
        constraint_parameter("embeddings_constraint"),
        unsupported_parameter("mask_zero", false),
        unsupported_parameter("weights"),
        unsupported_parameter("lora_rank"),
        unsupported_parameter("lora_alpha"),
        unsupported_parameter("quantization_config")},
       "a trained vector of output_dim numbers for each index below input_dim (keras.layers.Embedding)"},
      [](const Json& config) { return std::make_unique<Embedding>(config); });
}

}  // namespace nntrain::nn
