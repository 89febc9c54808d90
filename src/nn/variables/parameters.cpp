#include "nn/variables/parameters.h"

#include <algorithm>

#include "core/call.h"
#include "core/error.h"

namespace nntrain::nn {

Parameter initializer_parameter(const std::string& name, const std::string& default_value) {
  return {name,  Kind::kObject, default_value,
          false, true,          [](const Json& spec) { return initializers().canonical(spec); }};
}

Parameter regularizer_parameter(const std::string& name) {
  return {name,  Kind::kObject, nullptr,
          false, true,          [](const Json& spec) { return regularizers().canonical(spec); }};
}

Parameter constraint_parameter(const std::string& name) {
  return {name,  Kind::kObject, nullptr,
          false, true,          [](const Json& spec) { return constraints().canonical(spec); }};
}

Parameter unsupported_parameter(const std::string& name, const Json& only_value) {
  return {name,
          Kind::kObject,
          only_value,
          false,
          true,
          [only_value](const Json& value) -> Json {
            if (value.is_null() || value == only_value) return value;
            throw InputError("is not supported here, got " + format_call(value) + "; leave it out");
          },
          true};
}

std::shared_ptr<Initializer> make_initializer(const Json& spec) {
  return std::shared_ptr<Initializer>(initializers().make(spec.is_null() ? Json("glorot_uniform") : spec));
}

std::shared_ptr<Regularizer> make_regularizer(const Json& spec) {
  return spec.is_null() ? nullptr : std::shared_ptr<Regularizer>(regularizers().make(spec));
}

std::shared_ptr<Regularizer> make_activity_regularizer(const Json& spec) {
  std::shared_ptr<Regularizer> regularizer = make_regularizer(spec);
  if (regularizer && regularizer->mixes_rows()) {
    throw InputError("activity_regularizer: " + detail::spec_name("regularizer", spec) +
                     " mixes the rows of a mini-batch and is not supported for outputs; use L1, L2 or L1L2");
  }
  return regularizer;
}

std::shared_ptr<Constraint> make_constraint(const Json& spec) {
  return spec.is_null() ? nullptr : std::shared_ptr<Constraint>(constraints().make(spec));
}

std::int64_t sample_axis(std::int64_t axis, std::int64_t rank, const std::string& layer) {
  const std::int64_t positive = axis < 0 ? axis + rank + 1 : axis;
  if (positive < 1 || positive > rank) {
    throw InputError("layer \"" + layer + "\": axis " + std::to_string(axis) +
                     " is out of bounds for an input of " + std::to_string(rank + 1) +
                     " axes (the batch is axis 0)");
  }
  return positive - 1;
}

std::vector<std::int64_t> sample_axes(const Json& axis, std::int64_t rank, const std::string& layer) {
  std::vector<std::int64_t> axes;
  for (const Json& item : axis.is_array() ? axis : Json::array({axis})) {
    if (!item.is_number_integer())
      throw InputError("layer \"" + layer + "\": axis must be a whole number or a list, got " +
                       format_call(axis));
    axes.push_back(sample_axis(item.get<std::int64_t>(), rank, layer));
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

}  // namespace nntrain::nn
