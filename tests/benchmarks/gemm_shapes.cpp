// The matrix products of a training step and nothing else: how long they alone take, at exactly the shapes
// that the Dense layers of a model ask for, in the order of the step and on arrays as large as the step's (so
// that caches hold no more than in the step). Prints one JSON object.
//   gemm_shapes SIZES ROWS SHARDS [SECONDS]     e.g. gemm_shapes 784,500,500,500,500,10 256 8
// ROWS: rows of the mini-batch that one rank holds, cut into SHARDS shards. Each product is timed in two
// ways: as the engine does it, with the same bits for every number of ranks, and as one call of the library
// over all rows, which adds in another order and shows what exactness costs, no more.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "core/products/chain.h"
#include "core/products/gemm.h"
#include "core/tree.h"

namespace {

using nntrain::gemm::Transpose;
using Clock = std::chrono::steady_clock;

enum class Pass { kForward, kInputGradient, kWeightGradient };
constexpr const char* kPassNames[] = {"forward", "input_gradient", "weight_gradient"};

struct Layer {
  std::int64_t inputs, outputs;
  std::vector<float> x, weights, d_weights, dy, dx, y;
  Layer(std::int64_t rows, std::int64_t in, std::int64_t out)
      : inputs(in),
        outputs(out),
        x(fill(rows * in)),
        weights(fill(in * out)),
        d_weights(fill(in * out)),
        dy(fill(rows * out)),
        dx(fill(rows * in)),
        y(fill(rows * out)) {}
  /// Small numbers that differ: no product meets denormals or repeats.
  static std::vector<float> fill(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 2654435761U) % 1000U) * 1e-3F - 0.5F;
    return values;
  }
};

struct Product {
  Pass pass;
  std::size_t layer;
  double flops;
  std::vector<double> seconds[2] =
      {};  ///< by way: 0 the engine's, 1 one call of the library; one number a repetition
};

/// As Dense and the owners of slices do it: gradients in blocks of rows.
void multiply_as_engine(Layer& layer, Pass pass, const std::vector<std::int64_t>& bounds) {
  constexpr std::int64_t kBlockRows = 64;
  static nntrain::chain::KernelGradient gradient;
  const std::int64_t in = layer.inputs, out = layer.outputs;
  switch (pass) {
    case Pass::kForward:
      return nntrain::chain::multiply(bounds.back(), out, in, layer.x.data(), layer.weights.data(),
                                      layer.y.data());
    case Pass::kInputGradient:
      return nntrain::chain::multiply_transposed(bounds.back(), in, out, layer.dy.data(),
                                                 layer.weights.data(), layer.dx.data());
    case Pass::kWeightGradient: {
      std::vector<nntrain::chain::Leaf> leaves;
      for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
        leaves.push_back(
            {layer.x.data() + bounds[s] * in, layer.dy.data() + bounds[s] * out, bounds[s + 1] - bounds[s]});
      }
      gradient.set(leaves, in, out);
      for (std::int64_t i = 0; i < in; i += kBlockRows)
        gradient.rows(i, std::min(in, i + kBlockRows), layer.d_weights.data());
    }
  }
}

void multiply_at_once(Layer& layer, Pass pass, std::int64_t rows) {
  const std::int64_t in = layer.inputs, out = layer.outputs;
  const auto no = Transpose::kNo;
  const auto yes = Transpose::kYes;
  const float *x = layer.x.data(), *dy = layer.dy.data(), *w = layer.weights.data();
  switch (pass) {
    case Pass::kForward:
      return nntrain::gemm::multiply(no, no, rows, out, in, x, in, w, out, layer.y.data(), out);
    case Pass::kInputGradient:
      return nntrain::gemm::multiply(no, yes, rows, in, out, dy, out, w, out, layer.dx.data(), in);
    case Pass::kWeightGradient:
      return nntrain::gemm::multiply(yes, no, in, out, rows, x, in, dy, out, layer.d_weights.data(), out);
  }
}

template <class Work>
double seconds_of(Work work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

/// Seconds of a step's products.
double step_seconds(const std::vector<Product>& products, std::size_t way) {
  double seconds = 0;
  for (const Product& product : products) seconds += median(product.seconds[way]);
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: gemm_shapes SIZES ROWS SHARDS [SECONDS]\n");
    return 2;
  }
  nntrain::gemm::use_one_thread();
  std::vector<std::int64_t> sizes;
  std::stringstream list(argv[1]);
  for (std::string size; std::getline(list, size, ',');) sizes.push_back(std::atoll(size.c_str()));
  const std::int64_t rows = std::atoll(argv[2]);
  const int shards = std::atoi(argv[3]);
  const double budget = argc > 4 ? std::atof(argv[4]) : 1.5;

  std::vector<Layer> layers;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) layers.emplace_back(rows, sizes[i], sizes[i + 1]);
  std::vector<Product> products;
  const auto add = [&](Pass pass, std::size_t layer) {
    products.push_back(
        {pass, layer, 2.0 * static_cast<double>(rows * layers[layer].inputs * layers[layer].outputs)});
  };
  for (std::size_t i = 0; i < layers.size(); ++i) add(Pass::kForward, i);
  for (std::size_t i = layers.size(); i-- > 0;) {
    add(Pass::kWeightGradient, i);
    if (i > 0) add(Pass::kInputGradient, i);  // the data need no gradient
  }
  std::vector<std::int64_t> bounds;
  for (int shard = 0; shard <= shards; ++shard) bounds.push_back(nntrain::shard_begin(shard, shards, rows));

  const auto start = Clock::now();
  for (int repetition = 0;
       repetition < 5 || std::chrono::duration<double>(Clock::now() - start).count() < budget; ++repetition) {
    for (int way = 0; way < 2; ++way) {
      for (Product& product : products) {
        Layer& layer = layers[product.layer];
        const double seconds = seconds_of([&] {
          way == 0 ? multiply_as_engine(layer, product.pass, bounds)
                   : multiply_at_once(layer, product.pass, rows);
        });
        if (repetition > 0) product.seconds[way].push_back(seconds);  // the first one warms up
      }
    }
  }

  double flops = 0, forward_flops = 0, forward_seconds = 0;
  std::string text;
  for (const Product& product : products) {
    flops += product.flops;
    const double each = median(product.seconds[0]), once = median(product.seconds[1]);
    if (product.pass == Pass::kForward) {
      forward_flops += product.flops;
      forward_seconds += each;
    }
    text += fmt::format(
        "{}\n  {{\"layer\": {}, \"pass\": \"{}\", \"engine_us\": {:.2f}, \"at_once_us\": {:.2f}, "
        "\"engine_gflops\": {:.1f}, \"at_once_gflops\": {:.1f}}}",
        text.empty() ? "" : ",", product.layer, kPassNames[static_cast<int>(product.pass)], each * 1e6,
        once * 1e6, product.flops / each * 1e-9, product.flops / once * 1e-9);
  }
  const double engine_s = step_seconds(products, 0), at_once_s = step_seconds(products, 1);
  fmt::print(
      "{{\"sizes\": \"{}\", \"rows\": {}, \"shards\": {}, \"kernels\": \"{}\", \"large_gflops\": {:.1f}, "
      "\"step_gflop\": {:.6f},\n"
      " \"engine_s\": {:.9f}, \"at_once_s\": {:.9f}, \"forward_s\": {:.9f}, \"forward_gflops\": {:.1f},\n"
      " \"products\": [{}]}}\n",
      argv[1], rows, shards, nntrain::gemm::description(), nntrain::gemm::measured_rate().gflops,
      flops * 1e-9, engine_s, at_once_s, forward_seconds, forward_flops / forward_seconds * 1e-9, text);
  return 0;
}
