#include "nntrain/history.h"

#include "nntrain/error.h"

namespace nntrain {

const std::vector<double>& History::operator[](const std::string& name) const {
  std::string names;
  for (const auto& [column, values] : columns) {
    if (column == name) return values;
    names += (names.empty() ? "" : ", ") + column;
  }
  throw InputError("the history has no \"" + name + "\"; there is " + names);
}

}  // namespace nntrain
