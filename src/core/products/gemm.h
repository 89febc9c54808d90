#pragma once
// The BLAS libraries, single-thread, row-major float32: a CBLAS always (OpenBLAS, or another that CMake was
// pointed at), oneDNN's sgemm where it was found at build time. Products of training may be made with them
// (products.h), and they are the yardstick that a run's rate is compared with. The only floor that includes
// <cblas.h> and <dnnl.h>.

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/products/products.h"

namespace nntrain::gemm {

enum class Transpose : bool { kNo = false, kYes = true };
/// C (m, n) = op(A) (m, k) * op(B) (k, n) by the library, or an error. Leading dimensions are row strides of
/// the arrays as stored. k = 0 stores zeros. Arrays must not overlap. Local, no allocation of ours. The
/// caller holds signals back (SignalsHeldBack).
void multiply(BlasLibrary library, Transpose transpose_a, Transpose transpose_b, std::int64_t m,
              std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
              std::int64_t ldb, float* c, std::int64_t ldc);
/// The same by the quickest library, with signals held back.
void multiply(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc);

/// What multiplies and what it is compared with: "AVX-512 chains, oneDNN 2.6.3 avx512_core + OpenBLAS 0.3.21
/// Cooperlake".
std::string description();
/// The name of the OpenBLAS kernels that a CPU with these instructions deserves, where `core`, what OpenBLAS
/// took, is for older ones; empty where it is good. OpenBLAS knows the CPUs of its own day: 0.3.21 takes an
/// Emerald Rapids for a Prescott of 2004.
std::string better_core(std::string_view core, bool has_avx2, bool has_avx512);
/// better_core() of this process and CPU, unless OPENBLAS_CORETYPE is set: then the user has chosen. OpenBLAS
/// reads that variable when it is loaded.
std::string better_core_here();
/// A sentence when OpenBLAS uses kernels below what the CPU has, with the cure; empty otherwise.
std::string kernel_note();
/// While it lives, this thread handles no signals; those that arrive are handled after it. oneDNN's products
/// need that: a handler that runs in the middle of one (2.6.3, AVX-512) breaks the heap.
class SignalsHeldBack {
 public:
  SignalsHeldBack();
  ~SignalsHeldBack();
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

 private:
  sigset_t before_;
};

/// One thread for every BLAS and OpenMP pool of this process.
void use_one_thread();
/// How fast this core multiplies now.
struct Rate {
  double gflops = 0;      ///< of the best repetition
  double spread = 1;      ///< how much longer the third best took, relative to the best
  bool reliable = false;  ///< three repetitions agree within 5 %: the machine let them run
};
/// The rate of repetitions of `flops` operations that took `seconds`.
Rate rate_of(double flops, std::vector<double> seconds);
/// The machine's measured GEMM rate: large products on this core, in processor time (other processes' turns
/// do not count), until the best times agree or about a tenth of a second is over. 0 where a limit of memory
/// leaves no room for it.
Rate measured_rate();

}  // namespace nntrain::gemm
