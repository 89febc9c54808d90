// Every byte of a checkpoint may be wrong: single bits are flipped and the file is cut, and each time it is
// read as a run, predict and evaluate read it.
//   damage CHECKPOINT [FLIPS = 20000] [LENGTHS = 2000]
// Flips are spread evenly over the file, bit after bit at a place when there are more flips than bytes;
// lengths evenly from 0. Right is: refused by an InputError, or everything that decides how a run goes on
// reads as before (a bit of padding). Wrong contents, another exception, a crash and a hang are findings;
// exit code 1. Each hundred files is read in a process of its own.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "core/error.h"

namespace {

using nntrain::checkpoint::payload_digest;

enum class Outcome : unsigned char { kRefused, kHarmless, kWrong, kOther, kCrashed };
constexpr int kOutcomes = 5;
constexpr long kBatch = 100;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Original {
  std::string bytes, payload, weights;
};

Outcome outcome_of(const std::string& path, const Original& original) {
  try {
    const nntrain::checkpoint::Contents contents = nntrain::checkpoint::read(path);
    // A file that has lost /nntrain_dist is a Keras file: it may hold the same weights, never others.
    if (nntrain::checkpoint::weights_digest(contents.weights) != original.weights) return Outcome::kWrong;
    return !contents.ours || payload_digest(contents) == original.payload ? Outcome::kHarmless
                                                                          : Outcome::kWrong;
  } catch (const nntrain::InputError&) {
    return Outcome::kRefused;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return Outcome::kOther;
  }
}

class Counts {
 public:
  /// Reads the files that damaged(0) to damaged(count - 1) give.
  void read_all(const std::string& what, long count, const std::string& path, const Original& original,
                const std::function<std::string(long)>& damaged) {
    for (long first = 0; first < count; first += kBatch)
      read_batch(what, first, std::min(first + kBatch, count), path, original, damaged);
    std::printf(
        "%s: %ld files: %ld refused, %ld harmless, %ld wrong, %ld other errors, %ld crashes or hangs\n",
        what.c_str(), count, counts_[0], counts_[1], counts_[2], counts_[3], counts_[4]);
    findings_ += counts_[2] + counts_[3] + counts_[4];
    std::fill(std::begin(counts_), std::end(counts_), 0);
  }
  long findings() const { return findings_; }

 private:
  void read_batch(const std::string& what, long first, long end, const std::string& path,
                  const Original& original, const std::function<std::string(long)>& damaged) {
    int results[2];
    if (::pipe(results) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit memory{rlim_t{1} << 30, rlim_t{1} << 30};
      ::setrlimit(RLIMIT_AS, &memory);
      for (long i = first; i < end; ++i) {
        ::alarm(20);
        std::ofstream(path, std::ios::binary) << damaged(i);
        const Outcome outcome = outcome_of(path, original);
        if (::write(results[1], &outcome, 1) != 1) std::abort();
      }
      std::_Exit(0);
    }
    ::close(results[1]);
    long next = first;
    for (Outcome outcome{}; ::read(results[0], &outcome, 1) == 1; ++next) count(what, next, outcome);
    ::close(results[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (next == end) return;
    count(what, next, Outcome::kCrashed);
    if (next + 1 < end) read_batch(what, next + 1, end, path, original, damaged);
  }
  void count(const std::string& what, long i, Outcome outcome) {
    ++counts_[static_cast<int>(outcome)];
    if (outcome != Outcome::kRefused && outcome != Outcome::kHarmless)
      std::printf("FINDING %s %ld: outcome %d\n", what.c_str(), i, static_cast<int>(outcome));
  }

  long counts_[kOutcomes] = {};
  long findings_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: damage CHECKPOINT [FLIPS = 20000] [LENGTHS = 2000]\n");
    return 2;
  }
  const long flips = count > 2 ? std::strtol(arguments[2], nullptr, 10) : 20000;
  const long lengths = count > 3 ? std::strtol(arguments[3], nullptr, 10) : 2000;
  const nntrain::checkpoint::Contents contents = nntrain::checkpoint::read(arguments[1]);
  const Original original{bytes_of(arguments[1]), payload_digest(contents),
                          nntrain::checkpoint::weights_digest(contents.weights)};
  const auto bits = static_cast<long>(original.bytes.size()) * 8;
  const std::string path =
      (std::filesystem::temp_directory_path() / ("nntrain-damage-" + std::to_string(::getpid()) + ".h5"))
          .string();
  Counts counts;
  counts.read_all("bit", std::min(flips, bits), path, original, [&](long i) {
    std::string damaged = original.bytes;
    const long bit = flips >= bits ? i
                                   : static_cast<long>(static_cast<double>(bits) /
                                                       static_cast<double>(flips) * static_cast<double>(i)) +
                                         i % 8;
    const auto at = static_cast<std::size_t>(std::min(bit, bits - 1));
    damaged[at / 8] = static_cast<char>(static_cast<unsigned char>(damaged[at / 8]) ^ (1U << (at % 8)));
    return damaged;
  });
  counts.read_all("length", lengths, path, original, [&](long i) {
    return original.bytes.substr(
        0, original.bytes.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(lengths));
  });
  std::filesystem::remove(path);
  return counts.findings() == 0 ? 0 : 1;
}
