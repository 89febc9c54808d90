#pragma once
// y = x w + b under the mean squared error: outputs, losses and gradients are written down here in plain
// loops, to compare the rooms of a step with.

#include <array>
#include <cstdint>
#include <vector>

#include "core/call.h"
#include "mpi_main.h"
#include "train/step/engine.h"

namespace nntrain::train {

using mpi_test::session;

constexpr std::int64_t kRows = 13, kInputs = 3, kOutputs = 2;

struct LinearModel {
  nn::Sequential model{"linear", {parse_call("Dense(2)")}, Shape{kInputs}};
  std::unique_ptr<nn::Loss> loss = nn::losses().make(parse_call("mean_squared_error"));
  std::vector<NamedMetric> metrics;
  ActivityTimes times;
  std::vector<float> inputs, targets;  ///< (kRows, kInputs), (kRows, kOutputs)
  Samples samples;
  data::Sampler order{kRows, 0, 0, data::Order::kFile};

  LinearModel() {
    for (std::int64_t i = 0; i < kRows * kInputs; ++i)
      inputs.push_back(static_cast<float>(i * 7 % 11) / 4.0F - 1.0F);
    for (std::int64_t i = 0; i < kRows * kOutputs; ++i)
      targets.push_back(static_cast<float>(i * 5 % 9) / 8.0F);
    samples.inputs = {reinterpret_cast<const std::byte*>(inputs.data()), data::Element::kFloat32, kInputs, 0,
                      kRows};
    samples.targets = {reinterpret_cast<const std::byte*>(targets.data()), data::Element::kFloat32, kOutputs,
                       0, kRows};
  }

  BatchRequest rows(std::int64_t first, std::int64_t count) const {
    return {&samples, &order, first, count, 0};
  }

  EngineOptions options(int shards) const {
    EngineOptions options;
    options.shards = shards;
    options.training_rows = options.evaluation_rows = kRows;
    return options;
  }
};

/// The model's values in float64: w (kInputs, kOutputs), then b.
struct Values {
  std::array<double, kInputs * kOutputs> w{};
  std::array<double, kOutputs> b{};

  /// As they stand in the flat array of `model`.
  static Values of(const nn::Sequential& model) {
    Values values;
    for (const nn::Variable& variable : model.variables()) {
      double* to = variable.name == "kernel" ? values.w.data() : values.b.data();
      for (std::int64_t i = 0; i < variable.size(); ++i) to[i] = variable.values[i];
    }
    return values;
  }
  double output(const LinearModel& data, std::int64_t row, std::int64_t k) const {
    double y = b[static_cast<std::size_t>(k)];
    for (std::int64_t i = 0; i < kInputs; ++i)
      y += data.inputs[static_cast<std::size_t>(row * kInputs + i)] *
           w[static_cast<std::size_t>(i * kOutputs + k)];
    return y;
  }
  /// Mean over rows [first, first + count) and outputs of the squared error; its gradient into `d`.
  double loss(const LinearModel& data, std::int64_t first, std::int64_t count, Values* d = nullptr) const {
    double sum = 0;
    const double share = 1.0 / static_cast<double>(count * kOutputs);
    for (std::int64_t row = first; row < first + count; ++row) {
      for (std::int64_t k = 0; k < kOutputs; ++k) {
        const double error =
            output(data, row, k) - data.targets[static_cast<std::size_t>(row * kOutputs + k)];
        sum += share * error * error;
        if (d == nullptr) continue;
        d->b[static_cast<std::size_t>(k)] += 2 * share * error;
        for (std::int64_t i = 0; i < kInputs; ++i)
          d->w[static_cast<std::size_t>(i * kOutputs + k)] +=
              2 * share * error * data.inputs[static_cast<std::size_t>(row * kInputs + i)];
      }
    }
    return sum;
  }
};

}  // namespace nntrain::train
