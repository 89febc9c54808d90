#pragma once
// One line for each family of metrics, and what they share.

#include <functional>
#include <string>
#include <vector>

#include "metrics/metric.h"

namespace nntrain::metrics {

void add_mean_metrics(Registry<Metric>& registry);       // errors, accuracies, crossentropies, hinges
void add_confusion_metrics(Registry<Metric>& registry);  // precision, recall, counts, AUC and their family
void add_score_metrics(Registry<Metric>& registry);      // F scores, R2
void add_iou_metrics(Registry<Metric>& registry);        // IoU family, correlations

/// Keras' leading and trailing arguments of every metric: own..., name, dtype.
Signature metric_signature(const std::string& class_name, std::vector<std::string> aliases,
                           const std::string& default_name, std::vector<Parameter> own,
                           const std::string& summary);

/// Along the last axis alone: `axis` takes nothing but -1.
Parameter last_axis_parameter();

}  // namespace nntrain::metrics
