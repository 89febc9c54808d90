#include "core/products/gemm.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstring>
#include <vector>

#include "core/random.h"

namespace nntrain::gemm {
namespace {

std::vector<float> random(std::int64_t count, std::uint32_t index) {
  const RandomStream stream(11, Purpose::kTest, index);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = stream.uniform(0, i) - 0.5F;
  return values;
}

void expect_product(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::vector<float> a = random(m * k, 1), b = random(k * n, 2);
  std::vector<float> c = random(m * n, 3);
  const std::int64_t lda = ta == Transpose::kYes ? m : k;
  const std::int64_t ldb = tb == Transpose::kYes ? k : n;
  multiply(ta, tb, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t p = 0; p < k; ++p) {
        const double x = a[static_cast<std::size_t>(ta == Transpose::kYes ? p * m + i : i * k + p)];
        const double y = b[static_cast<std::size_t>(tb == Transpose::kYes ? j * k + p : p * n + j)];
        sum += x * y;
      }
      ASSERT_NEAR(c[static_cast<std::size_t>(i * n + j)], sum, 1e-5 * std::sqrt(static_cast<double>(k + 1)));
    }
  }
}

TEST(Gemm, AgreesWithTheDefinition) {
  for (const Transpose ta : {Transpose::kNo, Transpose::kYes}) {
    for (const Transpose tb : {Transpose::kNo, Transpose::kYes}) {
      expect_product(ta, tb, 16, 50, 78);
      expect_product(ta, tb, 1, 10, 50);
      expect_product(ta, tb, 50, 1, 3);
      expect_product(ta, tb, 3, 7, 0);
    }
  }
}

TEST(Gemm, EmptyOutputsAreFine) {
  multiply(Transpose::kNo, Transpose::kNo, 0, 5, 3, nullptr, 3, nullptr, 5, nullptr, 5);
}

TEST(Gemm, SaysWhatItUses) { EXPECT_NE(description().find("OpenBLAS"), std::string::npos); }

std::atomic<int> signals_handled = 0;

/// SIGALRM, SIGTERM and SIGUSR1 in turn, as often as the clock allows, while it lives. Handlers need stack,
/// as those of a program do.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action = {};
    action.sa_handler = [](int number) {
      volatile char frame[2048];
      for (volatile char& byte : frame) byte = static_cast<char>(number);
      if (number == SIGALRM) std::raise(++signals_handled % 2 == 0 ? SIGTERM : SIGUSR1);
    };
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
    const itimerval often{{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~SignalStorm() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  SignalStorm(const SignalStorm&) = delete;
  SignalStorm& operator=(const SignalStorm&) = delete;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGALRM, SIGTERM, SIGUSR1};
  std::array<struct sigaction, 3> before_{};
};

// oneDNN 2.6.3's sgemm on AVX-512 loses what a signal handler leaves on the stack: wrong products, a broken
// heap.
TEST(Gemm, SignalsDoNotSpoilProducts) {
  const SignalStorm storm;
  const int before = signals_handled;
  for (int repeat = 0; repeat < 5 || signals_handled - before < 100; ++repeat) {
    expect_product(Transpose::kNo, Transpose::kNo, 64, 200, 50);
    ASSERT_GT(measured_rate().gflops, 0.0);
  }
}

TEST(Gemm, SignalsOfAProductArriveAfterIt) {
  sigset_t before, during, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const SignalsHeldBack held;
    pthread_sigmask(SIG_SETMASK, nullptr, &during);
    EXPECT_EQ(sigismember(&during, SIGTERM), 1);
    EXPECT_EQ(sigismember(&during, SIGALRM), 1);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int number : {SIGTERM, SIGALRM, SIGUSR1, SIGINT})
    EXPECT_EQ(sigismember(&after, number), sigismember(&before, number));
}

TEST(Gemm, ARateIsBelievedWhenItsBestTimesAgree) {
  EXPECT_TRUE(rate_of(2e9, {1.00, 1.02, 1.01, 1.9}).reliable);
  EXPECT_DOUBLE_EQ(rate_of(2e9, {1.0, 1.02, 1.01, 1.9}).gflops, 2.0);
  EXPECT_DOUBLE_EQ(rate_of(2e9, {1.25, 1.0, 1.5, 3.0}).spread, 0.5);
  EXPECT_FALSE(rate_of(2e9, {1.25, 1.0, 1.5, 3.0}).reliable);
  EXPECT_FALSE(rate_of(2e9, {1.0, 1.0}).reliable);  // two say little
  EXPECT_FALSE(rate_of(2e9, {}).reliable);
}

}  // namespace
}  // namespace nntrain::gemm
