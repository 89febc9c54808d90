#include "core/products/gemm.h"

#include <cblas.h>
#ifdef NNTRAIN_HAVE_ONEDNN
#include <dnnl.h>
#include <dnnl_version.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "core/products/chain.h"

extern "C" void omp_set_num_threads(int) __attribute__((weak));

namespace nntrain::gemm {

namespace {

void multiply_openblas(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                       std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                       float* c, std::int64_t ldc) {
  const auto op = [](Transpose t) { return t == Transpose::kYes ? CblasTrans : CblasNoTrans; };
  cblas_sgemm(CblasRowMajor, op(transpose_a), op(transpose_b), static_cast<blasint>(m),
              static_cast<blasint>(n), static_cast<blasint>(k), 1.0F, a, static_cast<blasint>(lda), b,
              static_cast<blasint>(ldb), 0.0F, c, static_cast<blasint>(ldc));
}

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

}  // namespace

void multiply(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* c,
              std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, 0.0F);
    return;
  }
#ifdef NNTRAIN_HAVE_ONEDNN
  const SignalsHeldBack held;
  const auto op = [](Transpose t) { return t == Transpose::kYes ? 'T' : 'N'; };
  const dnnl_status_t status =
      dnnl_sgemm(op(transpose_a), op(transpose_b), m, n, k, 1.0F, a, lda, b, ldb, 0.0F, c, ldc);
  if (status == dnnl_success) return;
#endif
  multiply_openblas(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, ldc);
}

std::string description() {
  std::string text = std::string(chain::instructions()) + " chains, ";
#ifdef NNTRAIN_HAVE_ONEDNN
  text += "oneDNN " + onednn_version() + " " + onednn_isa() + " + ";
#endif
  return text + "OpenBLAS " + openblas_version() + " " + openblas_get_corename();
}

std::string kernel_note() {
  const char* forced = std::getenv("OPENBLAS_CORETYPE");
  if (forced == nullptr || *forced == '\0') return "";
#if defined(__x86_64__)
  const std::string core = openblas_get_corename();
  const bool wide_core =
      core == "SkylakeX" || core == "Cooperlake" || core == "SapphireRapids" || core == "Zen4";
  if (__builtin_cpu_supports("avx512f") && !wide_core) {
    return std::string("OPENBLAS_CORETYPE=") + forced + " forces the " + core +
           " kernels on a CPU that has AVX-512, half of OpenBLAS' speed. Training does not use them, but the "
           "GEMM rate in "
           "the closing table may; unset it";
  }
#endif
  return "";
}

void use_one_thread() {
  openblas_set_num_threads(1);
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

Rate measured_rate() {
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
  double spent = product();  // makes its code, fills caches, wakes the wide units: not counted
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
