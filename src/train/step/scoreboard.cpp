#include "train/step/scoreboard.h"

#include <algorithm>

namespace nntrain::train {

Scoreboard::Scoreboard(const std::vector<NamedMetric>& metrics, int local_shards) : metrics_(metrics) {
  for (const NamedMetric& entry : metrics) {
    offsets_.push_back(width_);
    width_ += entry.metric->size();
  }
  sums_.assign(static_cast<std::size_t>(local_shards * width_), 0.0);
}

void Scoreboard::reset() { std::fill(sums_.begin(), sums_.end(), 0.0); }

void Scoreboard::add_loss(int local_shard, double loss_times_rows, double rows) {
  double* sums = sums_.data() + local_shard * width_;
  sums[0] += loss_times_rows;
  sums[1] += rows;
}

void Scoreboard::update(int local_shard, const metrics::MetricInputs& inputs) {
  metrics::MetricInputs unweighted = inputs;
  unweighted.weights = nullptr;
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    const bool weighted = metrics_[m].weighting == NamedMetric::Weighting::kSampleWeights;
    const std::span<double> sums(sums_.data() + local_shard * width_ + offsets_[m],
                                 static_cast<std::size_t>(metrics_[m].metric->size()));
    metrics_[m].metric->update(weighted ? inputs : unweighted, sums);
  }
}

Logs Scoreboard::results(std::span<const double> totals, const std::string& prefix) const {
  Logs logs;
  logs.values.emplace_back(prefix + "loss", totals[1] > 0 ? totals[0] / totals[1] : 0.0);
  std::vector<double> values;
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    const auto size = static_cast<std::size_t>(metrics_[m].metric->size());
    values.clear();
    metrics_[m].metric->result(totals.subspan(static_cast<std::size_t>(offsets_[m]), size), values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string suffix = values.size() == 1 ? "" : "_" + std::to_string(i);
      logs.values.emplace_back(prefix + metrics_[m].name + suffix, values[i]);
    }
  }
  std::sort(logs.values.begin(), logs.values.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return logs;
}

}  // namespace nntrain::train
