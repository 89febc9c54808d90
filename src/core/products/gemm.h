#pragma once
// The BLAS libraries, single-thread, row-major float32: OpenBLAS always, oneDNN's sgemm where it was found at
// build time. Training multiplies by chains of our own (core/chain.h); the libraries are the yardstick that a
// run's rate is compared with. The only floor that includes <cblas.h> and <dnnl.h>.

#include <cstdint>
#include <string>

namespace nntrain::gemm {

enum class Transpose : bool { kNo = false, kYes = true };
/// C (m, n) = op(A) (m, k) * op(B) (k, n) by the library. Leading dimensions are row strides of the arrays as
/// stored. k = 0 stores zeros. Arrays must not overlap. Local, no allocation of ours.
void multiply(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc);

/// What multiplies and what it is compared with: "AVX-512 chains, oneDNN 2.6.3 avx512_core + OpenBLAS 0.3.21
/// Cooperlake".
std::string description();
/// A sentence when OPENBLAS_CORETYPE forces kernels below what the CPU has; empty otherwise.
std::string kernel_note();
/// One thread for every BLAS and OpenMP pool of this process.
void use_one_thread();
/// GFLOP/s of a large product on this core now (a few milliseconds), the machine's measured GEMM rate.
double measured_rate_gflops();

}  // namespace nntrain::gemm
