// The matrix products of a training step and nothing else: how long they alone take, at exactly the shapes that the
// Dense layers of a model ask for, in the order of the step and on arrays as large as the step's (so that caches hold
// no more than in the step). Prints one JSON object.
//   gemm_shapes SIZES ROWS SHARDS [SECONDS]     e.g. gemm_shapes 784,500,500,500,500,10 256 8
// ROWS: rows of the mini-batch that one rank holds, cut into SHARDS shards. Each product is timed in two ways: one
// call a shard, and one call over all rows. For weight gradients one call over all rows adds in another order; it
// shows what exactness costs, no more. exact_s is the step with the faster way for each product, but weight gradients
// always shard by shard: what an engine that keeps the bits could reach.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "nntrain/core/gemm.h"
#include "nntrain/core/tree.h"

namespace {

using nntrain::gemm::Transpose;
using nntrain::gemm::Write;
using Clock = std::chrono::steady_clock;

enum class Pass { kForward, kInputGradient, kWeightGradient };
constexpr const char* kPassNames[] = {"forward", "input_gradient", "weight_gradient"};

struct Layer {
  std::int64_t inputs, outputs;
  std::vector<float> x, weights, d_weights, dy, dx, y;
  Layer(std::int64_t rows, std::int64_t in, std::int64_t out)
      : inputs(in), outputs(out), x(fill(rows * in)), weights(fill(in * out)), d_weights(fill(in * out)), dy(fill(rows * out)),
        dx(fill(rows * in)), y(fill(rows * out)) {}
  /// Small numbers that differ: no product meets denormals or repeats.
  static std::vector<float> fill(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 2654435761U) % 1000U) * 1e-3F - 0.5F;
    return values;
  }
};

struct Product {
  Pass pass;
  std::size_t layer;
  double flops;
  std::vector<double> seconds[2] = {};  ///< by way: 0 a call a shard, 1 one call; one number a repetition
};

/// Rows [begin, end) of one product.
void multiply(Layer& layer, Pass pass, std::int64_t begin, std::int64_t end, Write write) {
  const std::int64_t in = layer.inputs, out = layer.outputs, rows = end - begin;
  const float* x = layer.x.data() + begin * in;
  const float* dy = layer.dy.data() + begin * out;
  const auto no = Transpose::kNo;
  const auto yes = Transpose::kYes;
  switch (pass) {
    case Pass::kForward:
      nntrain::gemm::multiply(no, no, rows, out, in, x, in, layer.weights.data(), out, Write::kStore, layer.y.data() + begin * out, out);
      break;
    case Pass::kInputGradient:
      nntrain::gemm::multiply(no, yes, rows, in, out, dy, out, layer.weights.data(), out, Write::kStore, layer.dx.data() + begin * in, in);
      break;
    case Pass::kWeightGradient:
      nntrain::gemm::multiply(yes, no, in, out, rows, x, in, dy, out, write, layer.d_weights.data(), out);
      break;
  }
}

double run(Layer& layer, Pass pass, const std::vector<std::int64_t>& bounds) {
  const auto start = Clock::now();
  for (std::size_t s = 0; s + 1 < bounds.size(); ++s) {
    multiply(layer, pass, bounds[s], bounds[s + 1], s % 2 == 0 ? Write::kStore : Write::kAdd);  // as the tree of sums does
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

enum class Ways { kByShard, kAtOnce, kFastestExact };

/// Seconds of a step's products.
double step_seconds(const std::vector<Product>& products, Ways ways) {
  double seconds = 0;
  for (const Product& product : products) {
    const double each = median(product.seconds[0]), once = median(product.seconds[1]);
    const bool may_merge = product.pass != Pass::kWeightGradient;
    seconds += ways == Ways::kByShard ? each : ways == Ways::kAtOnce ? once : may_merge ? std::min(each, once) : each;
  }
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
    products.push_back({pass, layer, 2.0 * static_cast<double>(rows * layers[layer].inputs * layers[layer].outputs)});
  };
  for (std::size_t i = 0; i < layers.size(); ++i) add(Pass::kForward, i);
  for (std::size_t i = layers.size(); i-- > 0;) {
    add(Pass::kWeightGradient, i);
    if (i > 0) add(Pass::kInputGradient, i);  // the data need no gradient
  }
  std::vector<std::int64_t> by_shard;
  for (int s = 0; s <= shards; ++s) by_shard.push_back(nntrain::shard_begin(s, shards, rows));
  const std::vector<std::int64_t> at_once = {0, rows};

  const auto start = Clock::now();
  for (int repetition = 0; repetition < 5 || std::chrono::duration<double>(Clock::now() - start).count() < budget; ++repetition) {
    for (int way = 0; way < 2; ++way) {
      for (Product& product : products) {
        const double seconds = run(layers[product.layer], product.pass, way == 0 ? by_shard : at_once);
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
      forward_seconds += std::min(each, once);
    }
    text += fmt::format("{}\n  {{\"layer\": {}, \"pass\": \"{}\", \"by_shard_us\": {:.2f}, \"at_once_us\": {:.2f}, "
                        "\"by_shard_gflops\": {:.1f}, \"at_once_gflops\": {:.1f}}}",
                        text.empty() ? "" : ",", product.layer, kPassNames[static_cast<int>(product.pass)], each * 1e6, once * 1e6,
                        product.flops / each * 1e-9, product.flops / once * 1e-9);
  }
  const double by_shard_s = step_seconds(products, Ways::kByShard), at_once_s = step_seconds(products, Ways::kAtOnce);
  const double exact_s = step_seconds(products, Ways::kFastestExact);
  fmt::print("{{\"sizes\": \"{}\", \"rows\": {}, \"shards\": {}, \"kernels\": \"{}\", \"large_gflops\": {:.1f}, \"step_gflop\": {:.6f},\n"
             " \"by_shard_s\": {:.9f}, \"at_once_s\": {:.9f}, \"exact_s\": {:.9f}, \"forward_s\": {:.9f}, \"forward_gflops\": {:.1f},\n"
             " \"products\": [{}]}}\n",
             argv[1], rows, shards, nntrain::gemm::description(), nntrain::gemm::measured_rate_gflops(), flops * 1e-9, by_shard_s,
             at_once_s, exact_s, forward_seconds, forward_flops / forward_seconds * 1e-9, text);
  return 0;
}
