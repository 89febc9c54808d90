#pragma once
// The GEMM seam: single-thread, row-major float32 matrix products; OpenBLAS always, oneDNN's sgemm where
// it was found at build time. The only floor that includes <cblas.h> and <dnnl.h>.

#include <cstdint>
#include <string>

namespace nntrain::gemm {

enum class Transpose : bool { kNo = false, kYes = true };
enum class Write : bool { kStore = false, kAdd = true };  ///< beta = 0 or 1

/// C (m, n) = op(A) (m, k) * op(B) (k, n), or += for kAdd. Leading dimensions are row strides of the
/// arrays as stored. k = 0 stores zeros. Arrays must not overlap. Local, no allocation of ours.
void multiply(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, Write write, float* c,
              std::int64_t ldc);

/// Does C (m, n) += A' B over k rows by kAdd give the bits of a separate add of the product? Tries it on random
/// numbers of these shapes (milliseconds). Local.
bool accumulates_like_add(std::int64_t m, std::int64_t n, std::int64_t k);

/// Libraries, versions and kernels in use, e.g. "oneDNN 2.6.3 (avx512_core), OpenBLAS 0.3.21 Cooperlake".
std::string description();
/// Short and stable: what decides the bits ("oneDNN 2.6.3 avx512_core + OpenBLAS 0.3.21 Cooperlake").
std::string kernel_identity();
/// A sentence when OPENBLAS_CORETYPE forces kernels below what the CPU has; empty otherwise.
std::string kernel_note();
/// One thread for every BLAS and OpenMP pool of this process.
void use_one_thread();
/// GFLOP/s of a large product on this core now (a few milliseconds), the machine's measured GEMM rate.
double measured_rate_gflops();

}  // namespace nntrain::gemm
