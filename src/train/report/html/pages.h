#pragma once
// The pages: plain data in, one self-contained HTML file out. Pure.

#include <string>

#include "train/inference/evaluation_report.h"
#include "train/report/run_report.h"

namespace nntrain::train::html {

/// Everything below the heading of an evaluation.
std::string evaluation_body(const EvaluationReport& report);
/// `evaluate --output=FILE.html`.
std::string evaluation_page(const std::string& checkpoint, const EvaluationReport& report);

/// `report CHECKPOINT --output=report.html`.
std::string run_page(const RunReport& report);

/// The layers as a drawing: width grows with the size of the output.
std::string layers_drawing(const RunReport& report);

/// Stacked bars of the seconds of each epoch; "" when nothing is known of them.
std::string time_section(const TimeTable& times);

}  // namespace nntrain::train::html
