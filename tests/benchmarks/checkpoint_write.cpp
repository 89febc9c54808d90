// Writes a big checkpoint as a run's thread does (digests, verification, fsync, rename), once, and says how
// long that took, beside a copy of the same state in memory.
//   checkpoint_write FILE [WIDTHS = 784,6600,6600,6600,10]
// The state is that of Adam: weights and two slots. Prints one line of JSON.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace {

using namespace nntrain;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Different values everywhere, finite ones.
std::vector<float> filled(std::int64_t count, std::uint32_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uint32_t word = seed;
  for (float& value : values) {
    word = word * 1664525U + 1013904223U;
    value = static_cast<float>(word >> 8U) * 1e-9F;
  }
  return values;
}

checkpoint::Contents big_state(const std::vector<std::int64_t>& widths) {
  checkpoint::Contents state;
  Json layers = Json::array();
  state.slots = {{"momentum", {}}, {"velocity", {}}};
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string layer = i == 0 ? "dense" : "dense_" + std::to_string(i);
    state.layer_names.push_back(layer);
    layers.push_back({{"class_name", "Dense"}, {"config", {{"name", layer}, {"units", widths[i + 1]}}}});
    for (const auto& [name, shape] :
         {std::pair("kernel", Shape{widths[i], widths[i + 1]}), std::pair("bias", Shape{widths[i + 1]})}) {
      const auto seed = static_cast<std::uint32_t>(state.weights.size());
      state.weights.push_back({layer, name, shape, true, filled(shape.size(), 3 * seed)});
      state.slots[0].values.push_back(filled(shape.size(), 3 * seed + 1));
      state.slots[1].values.push_back(filled(shape.size(), 3 * seed + 2));
    }
  }
  state.model_config = {{"class_name", "Sequential"}, {"config", {{"name", "big"}, {"layers", layers}}}};
  state.ours = true;
  state.optimizer = "Adam";
  return state;
}

int measure(const std::string& path, const std::vector<std::int64_t>& widths) {
  const checkpoint::Contents state = big_state(widths);
  std::size_t floats = 0;
  for (const checkpoint::WeightArray& weight : state.weights) floats += 3 * weight.values.size();
  Clock::time_point start = Clock::now();
  double copy_s = 0;
  {
    const checkpoint::Contents copy = state;  // NOLINT(performance-unnecessary-copy-initialization)
    if (copy.weights.back().values.back() != state.weights.back().values.back()) return 1;
    copy_s = seconds_since(start);  // before the memory is given back
  }
  rusage after{};
  start = Clock::now();
  checkpoint::write(path, state);
  const double write_s = seconds_since(start);
  ::getrusage(RUSAGE_SELF, &after);
  std::printf("%s\n",
              fmt::format(R"({{"parameters": {}, "state_bytes": {}, "file_bytes": {}, "copy_s": {:.4f}, )"
                          R"("write_s": {:.4f}, "peak_bytes": {}}})",
                          floats / 3, floats * sizeof(float), std::filesystem::file_size(path), copy_s,
                          write_s, after.ru_maxrss * 1024)
                  .c_str());
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "checkpoint_write FILE [WIDTHS]\n");
    return 2;
  }
  std::vector<std::int64_t> widths;
  std::istringstream text(count > 2 ? arguments[2] : "784,6600,6600,6600,10");
  for (std::string width; std::getline(text, width, ',');) widths.push_back(std::stoll(width));
  try {
    return measure(arguments[1], widths);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
