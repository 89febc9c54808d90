#pragma once
// Which way of writing new values is the quicker one on this node. Other ranks have the old values in their
// caches. Stores take them away line by line, which costs 4 ns a line where two cores share a cache and 53
// ns where they do not (measured on one EPYC with Zen 4, whose virtual cores the host moves now and then);
// stores past the caches take 9 ns anywhere. So both are tried now and then. The bits are the same.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace nntrain::train {

class StoreTrial {
 public:
  enum class Way { kInPlace, kPastCaches };

  /// Of the step at hand. Steps of other sizes than the largest so far are not compared.
  Way way() const { return is_trial() ? Way{static_cast<int>(turn_ / kSteps % 2)} : quicker_; }

  /// The step at hand took `seconds` for `batch_rows` rows.
  void add(double seconds, std::int64_t batch_rows) {
    if (batch_rows > rows_) {
      rows_ = batch_rows;
      turn_ = 0;
    }
    if (batch_rows < rows_) return;
    if (turn_ == 0) shortest_.fill(std::numeric_limits<double>::infinity());
    const bool settled = turn_ % kSteps != 0;  // the first step of a way still meets the lines of the other
    if (is_trial() && settled) {
      double& shortest = shortest_[static_cast<std::size_t>(way())];
      shortest = std::min(shortest, seconds);
    }
    turn_ = (turn_ + 1) % kPeriod;
    if (!is_trial()) quicker_ = shortest_[1] < shortest_[0] ? Way::kPastCaches : Way::kInPlace;
  }

 private:
  static constexpr std::int64_t kSteps = 4;  ///< of each way in a trial
  static constexpr std::int64_t kTrial = 2 * kSteps;
  static constexpr std::int64_t kPeriod = 512;  ///< steps from one trial to the next
  bool is_trial() const { return turn_ < kTrial; }

  Way quicker_ = Way::kInPlace;
  std::int64_t rows_ = 0, turn_ = 0;
  std::array<double, 2> shortest_{};  ///< of this trial, by way
};

}  // namespace nntrain::train
