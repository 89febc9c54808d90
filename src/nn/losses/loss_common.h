#pragma once
// What losses share: reductions, target forms, Keras' shape errors.

#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "nn/losses/loss.h"

namespace nntrain::nn {

constexpr float kEpsilon = 1e-7F;  ///< keras.config.epsilon()

class CommonLoss : public Loss {
 public:
  /// Values are numbers and class forms are classes, unless `meaning` says otherwise.
  explicit CommonLoss(const Json& config, TargetForm form = TargetForm::kValues,
                      std::optional<TargetMeaning> meaning = std::nullopt);
  TargetForm target_form(const Shape& output) const override;
  TargetMeaning target_meaning() const override { return meaning_; }
  bool sparse() const override { return form_ == TargetForm::kClassIndex; }
  void check_shapes(const Shape& target, const Shape& output) const override;

 private:
  TargetForm form_;
  TargetMeaning meaning_;
};

Parameter reduction_parameter();
/// Keras' trailing arguments of every loss, reduction (unless it is among `own`), name, dtype.
Signature loss_signature(const std::string& class_name, std::vector<std::string> aliases,
                         std::vector<Parameter> own, const std::string& summary);

void add_regression_losses(Registry<Loss>& registry);  // elementwise, mean over the last axis
void add_crossentropies(Registry<Loss>& registry);
void add_margin_losses(Registry<Loss>& registry);  // hinges, perceptron
void add_row_losses(Registry<Loss>& registry);     // cosine similarity
void add_batch_losses(Registry<Loss>& registry);   // Dice, Tversky, Circle

}  // namespace nntrain::nn
