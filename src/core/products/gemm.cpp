#include "core/products/gemm.h"

#if __has_include(<cblas.h>)
#include <cblas.h>
#else
#include <mkl_cblas.h>
#endif
#ifdef NNTRAIN_HAVE_ONEDNN
#include <dnnl.h>
#include <dnnl_version.h>
#endif

#include <sys/mman.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "core/error.h"
#include "core/products/chain.h"
#include "core/products/cpu.h"

// Libraries say who they are and take a number of threads each in a way of its own; the one that is linked
// has its functions, the others are null.
extern "C" {
void omp_set_num_threads(int) __attribute__((weak));
char* openblas_get_config(void) __attribute__((weak));
char* openblas_get_corename(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));
char* bli_info_get_version_str(void) __attribute__((weak));
void bli_thread_set_num_threads(std::int64_t) __attribute__((weak));
void mkl_get_version_string(char*, int) __attribute__((weak));
void MKL_Set_Num_Threads(int) __attribute__((weak));
void armpl_set_num_threads(int) __attribute__((weak));
}

namespace nntrain::gemm {

namespace {

#ifdef NNTRAIN_HAVE_ONEDNN
const char* onednn_isa() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "sse41";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx512_mic:
    case dnnl_cpu_isa_avx512_mic_4ops:
      return "avx512_mic";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "isa";
  }
}

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}
#endif

/// "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." -> "0.3.21".
std::string openblas_version() {
  std::string config = openblas_get_config();
  const std::size_t start = config.find("OpenBLAS ");
  if (start != std::string::npos) config.erase(0, start + 9);
  return config.substr(0, config.find(' '));
}

BlasFacts cblas_facts() {
  if (openblas_get_config != nullptr && openblas_get_corename != nullptr)
    return {"OpenBLAS", openblas_version(), openblas_get_corename(), {}};
  if (bli_info_get_version_str != nullptr) return {"BLIS", bli_info_get_version_str(), "kernels", {}};
  if (mkl_get_version_string != nullptr) {
    char text[200] = {};
    mkl_get_version_string(text, sizeof text - 1);
    return {"MKL", text, "kernels", {}};
  }
  return {armpl_set_num_threads != nullptr ? "ArmPL" : "CBLAS", "of unknown version", "kernels", {}};
}

/// OpenBLAS' kernels for AVX-512 make products of up to a million multiply-adds without copying weights
/// first, which at 32 rows is a fifth faster; transposed ones where few columns are asked for. Columns of a
/// call then: a function of the extents alone, and all of them where that does not apply.
std::int64_t columns_at_once(Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k) {
  static const bool kHasSmallKernels = is_wide_core(cblas_facts().kernel);
  if (!kHasSmallKernels) return n;
  constexpr std::int64_t kMostProducts = 1000000, kStep = 16, kFewColumns = 32;
  const std::int64_t most = kMostProducts / (m * k) / kStep * kStep;
  if (most < kStep) return n;
  return transpose_b == Transpose::kYes ? std::min(most, kFewColumns) : most;
}

void multiply_cblas(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                    float* c, std::int64_t ldc) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  if (std::max({m, n, k, lda, ldb, ldc}) > kMost)
    throw RuntimeError("a matrix product is too large for this CBLAS, whose extents are 32-bit numbers");
  const auto op = [](Transpose t) { return t == Transpose::kYes ? CblasTrans : CblasNoTrans; };
  const std::int64_t columns = columns_at_once(transpose_b, m, n, k);
  for (std::int64_t j = 0; j < n; j += columns) {
    const float* part = b + (transpose_b == Transpose::kYes ? j * ldb : j);
    cblas_sgemm(CblasRowMajor, op(transpose_a), op(transpose_b), static_cast<int>(m),
                static_cast<int>(std::min(columns, n - j)), static_cast<int>(k), 1.0F, a,
                static_cast<int>(lda), part, static_cast<int>(ldb), 0.0F, c + j, static_cast<int>(ldc));
  }
}

BlasLibrary quickest() {
  return has_blas(BlasLibrary::kOneDnn) ? BlasLibrary::kOneDnn : BlasLibrary::kOpenBlas;
}

}  // namespace

void multiply(BlasLibrary library, Transpose transpose_a, Transpose transpose_b, std::int64_t m,
              std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
              std::int64_t ldb, float* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, 0.0F);
    return;
  }
  if (library == BlasLibrary::kOpenBlas)
    return multiply_cblas(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc);
#ifdef NNTRAIN_HAVE_ONEDNN
  const auto op = [](Transpose t) { return t == Transpose::kYes ? 'T' : 'N'; };
  const dnnl_status_t status =
      dnnl_sgemm(op(transpose_a), op(transpose_b), m, n, k, 1.0F, a, lda, b, ldb, 0.0F, c, ldc);
  if (status != dnnl_success)
    throw RuntimeError("oneDNN's sgemm failed with status " + std::to_string(static_cast<int>(status)));
#else
  throw RuntimeError("internal: a product by oneDNN, which this program was built without");
#endif
}

void multiply(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c,
              std::int64_t ldc) {
  const SignalsHeldBack held;
  multiply(quickest(), transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc);
}

std::string description() {
  std::string text = std::string(chain::instructions()) + " chains, ";
  if (has_blas(BlasLibrary::kOneDnn)) text += blas_facts(BlasLibrary::kOneDnn).text() + " + ";
  return text + blas_facts(BlasLibrary::kOpenBlas).text();
}

void use_one_thread() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(1);
  if (MKL_Set_Num_Threads != nullptr) MKL_Set_Num_Threads(1);
  if (armpl_set_num_threads != nullptr) armpl_set_num_threads(1);
  if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
}

SignalsHeldBack::SignalsHeldBack() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}
SignalsHeldBack::~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

Rate rate_of(double flops, std::vector<double> seconds) {
  Rate rate;
  if (seconds.empty()) return rate;
  std::sort(seconds.begin(), seconds.end());
  rate.gflops = flops / seconds[0] * 1e-9;
  if (seconds.size() < 3) return rate;
  rate.spread = seconds[2] / seconds[0] - 1.0;
  rate.reliable = rate.spread <= 0.05;
  return rate;
}

namespace {

/// Without room for its code and copies oneDNN's sgemm reads address 0.
bool has_room(std::size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED && munmap(memory, bytes) == 0;
}

}  // namespace

Rate measured_rate() {
  constexpr std::size_t kRoom = std::size_t{256} << 20;
  if (!has_room(kRoom)) return {};
  constexpr std::int64_t kSize = 512;
  constexpr double kMostSeconds = 0.1;
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  std::vector<float> a(kSize * kSize, 0.5F), b(kSize * kSize, 0.25F), c(kSize * kSize);
  const auto product = [&] {
    const double start = now();
    multiply(Transpose::kNo, Transpose::kNo, kSize, kSize, kSize, a.data(), kSize, b.data(), kSize, c.data(),
             kSize);
    return now() - start;
  };
  double spent = product();          // makes its code, fills caches, wakes the wide units: not counted
  constexpr double kEmulated = 0.3;  // a real core takes a hundredth of it: once is enough
  if (spent > kEmulated) return rate_of(2.0 * kSize * kSize * kSize, {spent});
  std::vector<double> seconds;
  Rate rate;
  while (seconds.size() < 5 || (!rate.reliable && spent < kMostSeconds)) {
    seconds.push_back(product());
    spent += seconds.back();
    rate = rate_of(2.0 * kSize * kSize * kSize, seconds);
  }
  return rate;
}

}  // namespace nntrain::gemm

namespace nntrain {

std::string_view blas_name(BlasLibrary library) {
  return library == BlasLibrary::kOneDnn ? "onednn" : "openblas";
}

bool has_blas(BlasLibrary library) {
#ifdef NNTRAIN_HAVE_ONEDNN
  (void)library;
  return true;
#else
  return library == BlasLibrary::kOpenBlas;
#endif
}

BlasFacts blas_facts(BlasLibrary library) {
  BlasFacts facts;
#ifdef NNTRAIN_HAVE_ONEDNN
  if (library == BlasLibrary::kOneDnn) facts = {"oneDNN", gemm::onednn_version(), gemm::onednn_isa(), {}};
#endif
  if (library == BlasLibrary::kOpenBlas) facts = gemm::cblas_facts();
  facts.cpu = gemm::cpu_name();
  return facts;
}

}  // namespace nntrain
