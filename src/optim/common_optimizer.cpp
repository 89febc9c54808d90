#include "optim/common_optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/call.h"
#include "core/error.h"

namespace nntrain::optim {

namespace {

double number_or(const Json& value, double otherwise) {
  return value.is_number() ? value.get<double>() : otherwise;
}

CommonOptions read_options(const Json& config) {
  CommonOptions options;
  options.weight_decay = number_or(config["weight_decay"], 0);
  options.clipnorm = number_or(config["clipnorm"], 0);
  options.clipvalue = number_or(config["clipvalue"], 0);
  options.global_clipnorm = number_or(config["global_clipnorm"], 0);
  const int clips = (config["clipnorm"].is_null() ? 0 : 1) + (config["clipvalue"].is_null() ? 0 : 1) +
                    (config["global_clipnorm"].is_null() ? 0 : 1);
  if (clips > 1) {
    throw InputError(
        "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: clipnorm=" +
        format_call(config["clipnorm"]) + ", clipvalue=" + format_call(config["clipvalue"]) +
        ", global_clipnorm=" + format_call(config["global_clipnorm"]));
  }
  if (options.clipnorm < 0 || options.clipvalue < 0 || options.global_clipnorm < 0)
    throw InputError("clipnorm, clipvalue and global_clipnorm must not be negative");
  options.use_ema = config["use_ema"].get<bool>();
  options.ema_momentum = config["ema_momentum"].get<double>();
  if (options.use_ema && (options.ema_momentum > 1 || options.ema_momentum < 0)) {
    throw InputError("`ema_momentum` must be in the range [0, 1]. Received: ema_momentum=" +
                     format_call(config["ema_momentum"]));
  }
  if (!config["ema_overwrite_frequency"].is_null()) {
    options.ema_overwrite_frequency = config["ema_overwrite_frequency"].get<std::int64_t>();
    if (options.use_ema && options.ema_overwrite_frequency < 1) {
      throw InputError(
          "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: ema_overwrite_frequency=" +
          format_call(config["ema_overwrite_frequency"]));
    }
  }
  if (!config["gradient_accumulation_steps"].is_null()) {
    options.gradient_accumulation_steps = config["gradient_accumulation_steps"].get<std::int64_t>();
    if (options.gradient_accumulation_steps < 2) {
      throw InputError(
          "`gradient_accumulation_steps` must be an integer >= 2. Received: gradient_accumulation_steps=" +
          format_call(config["gradient_accumulation_steps"]));
    }
  }
  return options;
}

}  // namespace

CommonOptimizer::CommonOptimizer(const Json& config) : options_(read_options(config)) {
  const Json& rate = config["learning_rate"];
  if (rate.is_object()) {
    schedule_ = std::shared_ptr<Schedule>(schedules().make(rate));
  } else {
    rate_ = rate.get<double>();
  }
}

std::vector<std::string> CommonOptimizer::slot_names() const {
  std::vector<std::string> names = own_slots();
  if (options_.use_ema) names.push_back("ema");
  if (options_.gradient_accumulation_steps > 0) names.push_back("accumulator");
  return names;
}

float CommonOptimizer::slot_start(int slot) const { return slot < ema_slot() ? own_slot_start(slot) : 0.0F; }

NormRequest CommonOptimizer::norms() const {
  NormRequest request;
  request.update = options_.clipnorm > 0 || options_.global_clipnorm > 0;  // of the accumulated gradients
  return request;
}

double CommonOptimizer::learning_rate(std::int64_t iteration) const {
  return schedule_ ? schedule_->rate(iteration) : static_cast<double>(static_cast<float>(rate_));
}

void CommonOptimizer::set_learning_rate(double rate) {
  if (schedule_) {
    throw InputError(
        "This optimizer was created with a LearningRateSchedule object as its learning_rate constructor "
        "argument, hence "
        "its learning rate is not settable; drop the callback or the schedule");
  }
  rate_ = rate;
}

void CommonOptimizer::accumulate(Slice& slice, const StepInfo& info) {
  const std::int64_t every = options_.gradient_accumulation_steps;
  if (every == 0) return;
  const int at = accumulator_slot();
  const bool updates_now = is_update(info);
  const auto count = static_cast<float>(every);
  for_pieces(slice, [&](const Piece& piece) {
    float* sum = piece.s[at];
    for (std::int64_t i = 0; i < piece.size; ++i) {
      const float total = sum[i] + piece.g[i];
      piece.g[i] = total / count;
      sum[i] = updates_now ? 0.0F : total;
    }
  });
}

void CommonOptimizer::direct(Slice& slice, const StepInfo& info) { accumulate(slice, info); }

void CommonOptimizer::clip(Slice& slice, std::span<const double> squares) {
  if (options_.clipvalue > 0) {
    const auto most = static_cast<float>(options_.clipvalue);
    for_pieces(slice, [&](const Piece& piece) {
      for (std::int64_t i = 0; i < piece.size; ++i) piece.g[i] = std::min(std::max(piece.g[i], -most), most);
    });
  }
  double global = 0;
  if (options_.global_clipnorm > 0) {
    for (const double of_variable : squares) global += of_variable;
    global = std::sqrt(global);
  }
  if (options_.clipnorm <= 0 && options_.global_clipnorm <= 0) return;
  for_pieces(slice, [&](const Piece& piece) {
    const bool all = options_.global_clipnorm > 0;
    const double limit = all ? options_.global_clipnorm : options_.clipnorm;
    const double norm = all ? global : std::sqrt(squares[static_cast<std::size_t>(piece.segment->variable)]);
    if (norm <= limit) return;
    const auto factor = static_cast<float>(limit / norm);
    for (std::int64_t i = 0; i < piece.size; ++i) piece.g[i] *= factor;
  });
}

/// Polyak averaging as Keras does it at every call: the first average is the value itself.
void CommonOptimizer::average(Slice& slice, const StepInfo& info) {
  const int at = ema_slot();
  const auto momentum = static_cast<float>(updates(info) == 0 ? 0.0 : options_.ema_momentum);
  const std::int64_t frequency = options_.ema_overwrite_frequency;
  const bool overwrites = frequency > 0 && (updates(info) + 1) % frequency == 0;
  for_pieces(slice, [&](const Piece& piece) {
    float* mean = piece.s[at];
    for (std::int64_t i = 0; i < piece.size; ++i)
      mean[i] = momentum * mean[i] + (1.0F - momentum) * piece.w[i];
    if (overwrites) std::copy_n(mean, piece.size, piece.w);
  });
}

void CommonOptimizer::step(Slice& slice, const StepInfo& info) {
  if (!norms().update) accumulate(slice, info);
  if (is_update(info)) {
    if (clips_in_step()) clip(slice, info.norms.update);
    const auto decay = static_cast<float>(options_.weight_decay);
    const bool decays = options_.weight_decay != 0 && decays_decoupled();
    const std::int64_t t = updates(info) + 1;
    for_pieces(slice, [&](const Piece& piece) {
      if (decays) {
        for (std::int64_t i = 0; i < piece.size; ++i) piece.w[i] -= piece.w[i] * decay * info.learning_rate;
      }
      update(piece, info, t);
    });
  }
  if (options_.use_ema) average(slice, info);
}

void CommonOptimizer::advance(const StepInfo& info) {
  if (is_update(info)) advanced(updates(info) + 1);
}

void CommonOptimizer::finalize(Slice& slice) {
  if (!options_.use_ema) return;
  const int at = ema_slot();
  for_pieces(slice, [&](const Piece& piece) { std::copy_n(piece.s[at], piece.size, piece.w); });
}

std::vector<Parameter> optimizer_parameters(double learning_rate, std::vector<Parameter> own,
                                            const Json& weight_decay) {
  const auto rate = [](const Json& value) -> Json {
    if (value.is_number()) return value.get<double>();
    if (value.is_null()) throw InputError("must be a number or a schedule, got None");
    return schedules().canonical(value);
  };
  std::vector<Parameter> all = {{"learning_rate", Kind::kObject, learning_rate, false, false, rate}};
  bool has_decay = false;
  for (Parameter& parameter : own) {
    has_decay = has_decay || parameter.name == "weight_decay";
    all.push_back(std::move(parameter));
  }
  if (!has_decay) all.push_back({"weight_decay", Kind::kNumber, weight_decay, false, true});
  for (const char* name : {"clipnorm", "clipvalue", "global_clipnorm"})
    all.push_back({name, Kind::kNumber, nullptr, false, true});
  all.push_back({"use_ema", Kind::kBoolean, false});
  all.push_back({"ema_momentum", Kind::kNumber, 0.99});
  all.push_back({"ema_overwrite_frequency", Kind::kInteger, nullptr, false, true});
  all.push_back({"loss_scale_factor", Kind::kObject, nullptr, false, true,
                 [](const Json& value) -> Json {
                   if (value.is_null()) return value;
                   throw InputError(
                       "loss scaling is for half precision, which is not supported; leave it out");
                 },
                 true});
  all.push_back({"gradient_accumulation_steps", Kind::kInteger, nullptr, false, true});
  all.push_back({"name", Kind::kText, nullptr, false, true});
  return all;
}

Registry<Optimizer>& optimizers() {
  static Registry<Optimizer> registry = [] {
    Registry<Optimizer> made("optimizer");
    add_sgd(made);
    add_adam_family(made);
    add_adaptive_family(made);
    add_layerwise_family(made);
    made.refuse({"Muon"}, "it needs every matrix whole in every step, where here each rank has its slice");
    made.refuse({"ScheduleFreeAdamW"}, "its weights for training and for validation differ");
    made.refuse({"LossScaleOptimizer"}, "float32 needs no loss scale");
    made.refuse({"MultiOptimizer", "OptimizerMap"},
                "one optimizer takes all weights; trainable=False freezes a layer");
    return made;
  }();
  return registry;
}

}  // namespace nntrain::optim
