#include "metrics/logs.h"

namespace nntrain::metrics {

std::optional<double> Logs::find(const std::string& name) const {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Logs::names() const {
  std::string text;
  for (const auto& [key, value] : values) text += (text.empty() ? "" : ", ") + key;
  return text;
}

void Logs::set(const std::string& name, double value) {
  for (auto& [key, old] : values) {
    if (key == name) {
      old = value;
      return;
    }
  }
  values.emplace_back(name, value);
}

}  // namespace nntrain::metrics
