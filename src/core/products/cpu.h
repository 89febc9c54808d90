#pragma once
// This CPU, as its kernel names it.

#include <string>
#include <string_view>

namespace nntrain::gemm {

/// "AMD EPYC, family 25, model 17"; on other machines than x86-64 what /proc/cpuinfo has instead.
std::string cpu_name();

/// Has OpenBLAS's core `core` kernels for AVX-512?
bool is_wide_core(std::string_view core);

}  // namespace nntrain::gemm
