// The header before a run and the table after it.

#include <fmt/format.h>

#include "core/log.h"
#include "core/products/gemm.h"
#include "train/loop/trainer.h"

namespace nntrain::train {

namespace {

std::string format_bytes(double bytes) {
  const char* units[] = {"B", "KB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", bytes, units[unit]);
}

}  // namespace

void Trainer::print_header() const {
  if (verbose_of(settings_.fit.verbose) == Verbose::kSilent) return;
  log::info(fmt::format("nntrain-dist {}, {}, {}", version_, comm::Session::library_version(),
                        gemm::description()));
  log::info(fmt::format("{} rank{} on {} node{}, {} shards: the same bits for every number of ranks up to {}",
                        session_.size(), session_.size() == 1 ? "" : "s", session_.nodes(),
                        session_.nodes() == 1 ? "" : "s", shards_, shards_));
  if (!shards_note_.empty()) log::note(shards_note_);
  if (!exchange_->note().empty()) log::note(exchange_->note());
  if (const std::string note = gemm::kernel_note(); !note.empty()) log::note(note);
  if (session_.local_size() > session_.available_cores()) {
    log::note(fmt::format(
        "{} ranks on a node where they may use {} cores: they take turns. Start at most {} ranks a node, or "
        "check the binding (mpirun --report-bindings)",
        session_.local_size(), session_.available_cores(), session_.available_cores()));
  }
  for (const auto& [name, entry] : data_.fingerprints.items()) {
    std::string shape;
    if (entry.contains("rows") && entry.contains("sample")) {
      shape = " " + Shape(entry["sample"].get<std::vector<std::int64_t>>())
                        .with_batch(entry["rows"].get<std::int64_t>());
    }
    log::info(fmt::format("data.{}: {}{}, SHA-256 {}", name, entry.value("source", ""), shape,
                          entry.value("sha256", "").substr(0, 16)));
  }
  log::info(fmt::format("train on {} samples, validate on {}, {} in memory once a node", data_.train.rows(),
                        data_.validation ? data_.validation->rows() : 0,
                        format_bytes(static_cast<double>(data_.bytes))));
  for (const Key& key : keys()) {
    for (const Value& value : configuration_.list(key.name)) {
      log::info(fmt::format("  {} = {}  ({})", key.name, value.text, value.origin));
    }
  }
  log_scaling();
  if (!settings_.data.sample_weight.empty() && !settings_.fit.class_weight.empty()) {
    log::note("data.sample_weight supersedes fit.class_weight, which is not used");
  }
  log::info(summary_table(*model_));
  if (resumed_) {
    log::info(fmt::format("Going on from {}: epoch {}, step {}", settings_.checkpoint.path, state_.epoch,
                          state_.step));
  }
}

/// What fit.learning_rate_scaling makes of the learning rate (Goyal et al. 2017).
void Trainer::log_scaling() const {
  if (settings_.fit.learning_rate_scaling == "none") return;
  std::string text = fmt::format(
      "Learning rate x {:.4g} ({} scaling: batch_size {} / reference_batch_size {})", rate_scale_,
      settings_.fit.learning_rate_scaling, settings_.fit.batch_size, settings_.fit.reference_batch_size);
  if (settings_.fit.warmup_epochs > 0)
    text += fmt::format(", rising from x 1 over {:g} epochs", settings_.fit.warmup_epochs);
  log::info(text);
}

void Trainer::print_closing_table() {
  const bool quiet = verbose_of(settings_.fit.verbose) == Verbose::kSilent;
  // Waiting is a part of the others, nearly all of it of the exchange, below which it stands.
  std::vector<double> mine(times_.all().begin(), times_.all().end());
  std::vector<std::string> names(kActivityNames.begin(), kActivityNames.end());
  constexpr auto kWaitRow = static_cast<std::ptrdiff_t>(Activity::kExchange) + 1;
  mine.insert(mine.begin() + kWaitRow, exchange_->seconds_waiting());
  names.insert(names.begin() + kWaitRow, "  waiting");
  const std::vector<std::vector<std::byte>> gathered = session_.gather(std::as_bytes(std::span(mine)));
  const gemm::Rate rate = gemm::measured_rate();
  const double slowest_rate = session_.minimum(rate.gflops);
  const bool reliable = session_.minimum(rate.reliable ? 1.0 : 0.0) > 0;
  if (!session_.is_root() || quiet || steps_run_ == 0) return;
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - run_start_).count();
  log::info("");
  log::info("Activity        min s     mean s      max s   % of the run");
  for (std::size_t a = 0; a < names.size(); ++a) {
    double least = 1e300, most = 0, sum = 0;
    for (const std::vector<std::byte>& bytes : gathered) {
      const double seconds = reinterpret_cast<const double*>(bytes.data())[a];
      least = std::min(least, seconds);
      most = std::max(most, seconds);
      sum += seconds;
    }
    const double mean = sum / static_cast<double>(gathered.size());
    log::info(fmt::format("{:<12}{:>9.3f}  {:>9.3f}  {:>9.3f}   {:>6.1f}", names[a], least, mean, most,
                          100.0 * mean / wall));
  }
  const double seconds = std::max(training_seconds_, 1e-9);
  const double samples = static_cast<double>(samples_run_);
  const double gflops = samples * model_->training_flops() / seconds * 1e-9;
  log::info(fmt::format("Wall {:.2f} s, training {:.2f} s", wall, training_seconds_));
  log::info(fmt::format(
      "Performance: {:.0f} samples/s, {:.0f} steps/s, {:.1f} GFLOP/s, {:.0f} % of the measured GEMM rate "
      "({:.0f} GFLOP/s a core x {} ranks{})",
      samples / seconds, static_cast<double>(steps_run_) / seconds, gflops,
      100.0 * gflops / (slowest_rate * session_.size()), slowest_rate, session_.size(),
      reliable ? "" : "; measured on a busy machine, not reliable"));
}

}  // namespace nntrain::train
