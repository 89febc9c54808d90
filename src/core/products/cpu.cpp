// What CPU this is, and whether OpenBLAS noticed.

#include "core/products/cpu.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/products/gemm.h"

namespace nntrain::gemm {

namespace {

/// How wide the kernels of an OpenBLAS core are: 2 for AVX-512, 1 for AVX2 with FMA, 0 for older ones.
int width_of_core(std::string_view core) {
  constexpr std::array<std::string_view, 4> kAvx512 = {"SkylakeX", "Cooperlake", "SapphireRapids", "Zen4"};
  constexpr std::array<std::string_view, 2> kAvx2 = {"Haswell", "Zen"};
  if (std::find(kAvx512.begin(), kAvx512.end(), core) != kAvx512.end()) return 2;
  return std::find(kAvx2.begin(), kAvx2.end(), core) != kAvx2.end() ? 1 : 0;
}

/// "" for other libraries than OpenBLAS and other CPUs than x86-64, whose cores are not known here.
std::string better_core_of_this_cpu() {
#if defined(__x86_64__)
  const BlasFacts facts = blas_facts(BlasLibrary::kOpenBlas);
  if (facts.library != "OpenBLAS") return "";
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return better_core(facts.kernel, avx2, avx512);
#else
  return "";
#endif
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, name;
  const auto value_of = [&](std::string_view key) {
    if (!line.starts_with(key)) return std::string();
    const std::size_t colon = line.find(':');
    // "model" is a key of its own beside "model name".
    if (colon == std::string::npos || line.find_first_not_of(" \t", key.size()) != colon)
      return std::string();
    return line.substr(std::min(line.size(), colon + 2));
  };
  while (std::getline(file, line) && !(line.empty() && !name.empty())) {  // the first processor's
    if (const std::string text = value_of("model name"); !text.empty()) name = text + name;
    for (const char* key : {"cpu family", "model", "CPU implementer", "CPU part", "CPU variant", "cpu"}) {
      if (const std::string text = value_of(key); !text.empty()) name += std::string(", ") + key + " " + text;
    }
  }
  if (name.starts_with(", ")) name.erase(0, 2);
  return name.empty() ? "unknown" : name;
}

bool is_wide_core(std::string_view core) { return width_of_core(core) == 2; }

std::string better_core(std::string_view core, bool has_avx2, bool has_avx512) {
  const int wanted = has_avx512 ? 2 : has_avx2 ? 1 : 0;
  if (width_of_core(core) >= wanted) return "";
  return wanted == 2 ? "SkylakeX" : "Haswell";
}

std::string better_core_here() {
  const char* chosen = std::getenv("OPENBLAS_CORETYPE");
  return chosen != nullptr && *chosen != '\0' ? "" : better_core_of_this_cpu();
}

std::string kernel_note() {
  const std::string better = better_core_of_this_cpu();
  if (better.empty()) return "";
  const std::string core = blas_facts(BlasLibrary::kOpenBlas).kernel;
  const char* chosen = std::getenv("OPENBLAS_CORETYPE");
  const std::string cure = "OPENBLAS_CORETYPE=" + better;
  if (chosen == nullptr || *chosen == '\0')
    return "OpenBLAS takes this CPU for a " + core + " and its products are less than half as fast; set " +
           cure + " before the program starts";
  return std::string("OPENBLAS_CORETYPE=") + chosen + " gives OpenBLAS the " + core +
         " kernels, below what this CPU has, and products of several times less speed (the measured GEMM "
         "rate "
         "may be theirs); unset it, or set " +
         cure;
}

}  // namespace nntrain::gemm
