#pragma once
// The `seed` argument of initializers and random layers.

#include <cstdint>
#include <optional>

#include "core/call.h"
#include "core/registry.h"

namespace nntrain::nn {

/// None, or a whole number from 0 on. Keras' SeedGenerator objects are taken for the seed they were made
/// with.
inline Parameter seed_parameter() {
  return {"seed", Kind::kObject, nullptr, false, true, [](const Json& value) -> Json {
            const bool generator =
                value.is_object() && value.contains("config") && value["config"].is_object();
            Json seed = generator ? value["config"].value("seed", Json()) : value;
            if (seed.is_null() || seed.is_number_unsigned()) return seed;
            if (seed.is_number_integer() && seed.get<std::int64_t>() >= 0) return seed;
            throw InputError("must be a whole number from 0 on, or None, got " + format_call(value));
          }};
}

/// What a resolved config holds under "seed".
inline std::optional<std::uint64_t> seed_of(const Json& config) {
  if (!config.contains("seed") || config["seed"].is_null()) return std::nullopt;
  return config["seed"].get<std::uint64_t>();
}

}  // namespace nntrain::nn
