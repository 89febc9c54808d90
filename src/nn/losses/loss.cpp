#include "nn/losses/loss.h"

#include <algorithm>

#include "nn/losses/loss_common.h"

namespace nntrain::nn {

CommonLoss::CommonLoss(const Json& config, TargetForm form, std::optional<TargetMeaning> meaning)
    : form_(form),
      meaning_(
          meaning.value_or(form == TargetForm::kValues ? TargetMeaning::kNumbers : TargetMeaning::kClasses)) {
  const std::string reduction =
      config["reduction"].is_string() ? config["reduction"].get<std::string>() : "none";
  if (reduction == "sum_over_batch_size" || reduction == "mean") {
    reduction_ = Reduction::kSumOverBatchSize;
  } else if (reduction == "sum") {
    reduction_ = Reduction::kSum;
  } else if (reduction == "mean_with_sample_weight") {
    reduction_ = Reduction::kMeanWithSampleWeight;
  } else {
    throw InputError("reduction = \"" + reduction +
                     "\" is not supported for training; it is one of sum_over_batch_size, sum, mean, "
                     "mean_with_sample_weight");
  }
}

TargetForm CommonLoss::target_form(const Shape& output) const {
  return form_ == TargetForm::kOneHot && output.last() == 1 ? TargetForm::kValues : form_;
}

void CommonLoss::check_shapes(const Shape& target, const Shape& output) const {
  if (target_form(output) == TargetForm::kClassIndex) {
    if (target.size() == output.leading()) return;
    throw InputError(
        "Argument `output` must have rank (ndim) `target.ndim - 1`: arguments `target` and `output` must "
        "have the same shape up "
        "until the last dimension: target.shape=" +
        target.with_batch() + ", output.shape=" + output.with_batch());
  }
  const bool scalar = target.size() == 1 && output.size() == 1;
  if (target == output || scalar) return;
  throw InputError("Arguments `target` and `output` must have the same shape. Received: target.shape=" +
                   target.with_batch() + ", output.shape=" + output.with_batch());
}

Parameter reduction_parameter() { return {"reduction", Kind::kText, "sum_over_batch_size", false, true}; }

Signature loss_signature(const std::string& class_name, std::vector<std::string> aliases,
                         std::vector<Parameter> own, const std::string& summary) {
  const bool has_reduction = std::any_of(
      own.begin(), own.end(), [](const Parameter& parameter) { return parameter.name == "reduction"; });
  if (!has_reduction) own.push_back(reduction_parameter());
  own.push_back({"name", Kind::kText, nullptr, false, true});
  own.push_back({"dtype", Kind::kAny, nullptr, false, true});
  return {class_name, std::move(aliases), std::move(own), summary};
}

Registry<Loss>& losses() {
  static Registry<Loss> registry = [] {
    Registry<Loss> made("loss");
    add_regression_losses(made);
    add_crossentropies(made);
    add_margin_losses(made);
    add_row_losses(made);
    add_batch_losses(made);
    made.refuse({"CTC", "ctc"}, "it is for sequences");
    return made;
  }();
  return registry;
}

}  // namespace nntrain::nn
