#include "train/step/replica_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "core/hash.h"

namespace nntrain::train {

namespace {

constexpr std::int64_t kBlockFloats = 1 << 14;  ///< of the flat array; a block is one rank's

std::uint64_t hash_of(std::span<const float> values, std::int64_t place) {
  return hash_bytes(std::as_bytes(values), static_cast<std::uint64_t>(place));
}

/// Blocks part, part + parts, ... of the array: the sums over all parts make the hash of the whole.
std::uint64_t hash_part(std::span<const float> values, int part, int parts) {
  const auto floats = static_cast<std::int64_t>(values.size());
  std::uint64_t sum = 0;
  for (std::int64_t begin = part * kBlockFloats; begin < floats; begin += parts * kBlockFloats) {
    const std::int64_t count = std::min(kBlockFloats, floats - begin);
    sum += hash_of(values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), begin);
  }
  return sum;
}

template <class T>
std::vector<std::vector<T>> all_of(comm::Session& session, std::span<const T> mine) {
  std::vector<std::vector<T>> all;
  for (const std::vector<std::byte>& bytes : session.all_gather(std::as_bytes(mine))) {
    all.emplace_back(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(all.back().data(), bytes.data(), bytes.size());
  }
  return all;
}

/// Of each copy, which ranks hold it: the ranks of a node, or one.
struct Part {
  std::uint64_t hash = 0;
  std::int64_t copy = 0;  ///< its first rank
};

std::span<const float> values_of(const nn::Variable& variable) {
  return {variable.values, static_cast<std::size_t>(variable.size())};
}

/// The first rank whose copy differs from rank 0's; the number of ranks when none does.
std::size_t first_different(const std::vector<std::vector<Part>>& parts) {
  std::vector<std::uint64_t> sums(parts.size(), 0);
  for (const auto& part : parts) sums[static_cast<std::size_t>(part[0].copy)] += part[0].hash;
  for (std::size_t r = 0; r < parts.size(); ++r)
    if (sums[static_cast<std::size_t>(parts[r][0].copy)] != sums[0]) return r;
  return parts.size();
}

/// All ranks know that rank `other` has another copy than rank 0.
[[noreturn]] void name_difference(comm::Session& session, const nn::Sequential& model, std::size_t other) {
  std::vector<std::uint64_t> hashes;
  for (const nn::Variable& variable : model.variables()) hashes.push_back(hash_of(values_of(variable), 0));
  const auto all = all_of<std::uint64_t>(session, hashes);
  std::size_t v = 0;
  while (v + 1 < hashes.size() && all[0][v] == all[other][v]) ++v;
  const nn::Variable& variable = model.variables()[v];
  std::vector<float> roots(static_cast<std::size_t>(variable.size()));
  if (session.is_root()) std::copy_n(variable.values, variable.size(), roots.begin());
  session.broadcast(std::as_writable_bytes(std::span(roots)));
  std::string text;
  if (session.rank() == static_cast<int>(other)) {
    std::size_t i = 0;  // bits are compared: NaN is equal to itself, 0 is not -0
    const auto same = [&](std::size_t at) {
      return std::bit_cast<std::uint32_t>(roots[at]) == std::bit_cast<std::uint32_t>(variable.values[at]);
    };
    while (i + 1 < roots.size() && same(i)) ++i;
    text = fmt::format("rank {} on {} has {:.9g} as element {} of {}/{}", session.rank(), session.host(),
                       variable.values[i], i, variable.layer, variable.name);
    text += fmt::format(", where rank 0 has {:.9g}", roots[i]);
  }
  text = session.broadcast_text(text, static_cast<int>(other));
  throw comm::SharedError(
      ExitCode::kRuntime,
      text +
          ": copies of the weights have drifted apart, which a fault of memory, processor or network does. "
          "The last checkpoint is from before; go on from it without that host");
}

}  // namespace

void require_equal_copies(comm::Session& session, Engine& engine, const nn::Sequential& model) {
  const bool own = engine.exchange().private_values();
  if (session.maximum(std::int64_t{own || session.nodes() > 1 ? 1 : 0}) == 0) return;
  engine.settle();
  const std::span<const float> values = engine.exchange().values();
  Part mine;
  mine.copy = own ? session.rank() : session.rank() - session.local_rank();
  mine.hash = own ? hash_part(values, 0, 1) : hash_part(values, session.local_rank(), session.local_size());
  const std::size_t other = first_different(all_of<Part>(session, {&mine, 1}));
  if (other < static_cast<std::size_t>(session.size())) name_difference(session, model, other);
}

}  // namespace nntrain::train
