#include "train/loop/validation.h"

#include <algorithm>

namespace nntrain::train {

namespace {

/// Batches between two looks at the others' wishes: often enough for a stop, seldom enough to cost nothing.
constexpr std::int64_t kBatchesBetweenLooks = 16;

}  // namespace

Validation::Validation(Run& run)
    : run_(run), board_(run.compiled.metrics, run.engine->evaluation_local().count()) {}

bool Validation::due(std::int64_t epoch) const {
  return run_.data.validation && (epoch + 1) % run_.settings.fit.validation_freq == 0;
}

std::optional<Logs> Validation::evaluate(const std::function<void()>& before_looking,
                                         std::uint32_t& reasons) {
  run_.engine->settle();
  const ActivityTimes::Scope time(run_.times, Activity::kEvaluation);
  board_.reset();
  const std::int64_t rows = run_.data.validation->rows(), batch_rows = run_.validation_batch_rows();
  const data::Sampler in_order(rows, 0, 0, data::Order::kFile);
  begin_pass(run_.session, run_.data, *run_.data.validation, in_order, kPassInOrder, 0);
  std::int64_t batches = 0;
  for (std::int64_t position = 0; position < rows; position += batch_rows) {
    if (batches++ % kBatchesBetweenLooks == 0) {
      before_looking();
      const std::int64_t asked = run_.session.maximum(static_cast<std::int64_t>(run_.stop.reasons()));
      if (asked != 0) {
        reasons = static_cast<std::uint32_t>(asked);
        return std::nullopt;
      }
    }
    BatchRequest batch;
    batch.samples = &*run_.data.validation;
    batch.sampler = &in_order;
    batch.position = position;
    batch.rows = std::min(batch_rows, rows - position);
    run_.engine->evaluate(batch, board_);
  }
  check_pass(run_.session, *run_.data.validation);
  return run_.engine->evaluation_totals(board_, "val_");
}

Logs Validation::names() const {
  return board_.results(std::vector<double>(static_cast<std::size_t>(board_.width()), 0.0), "val_");
}

}  // namespace nntrain::train
