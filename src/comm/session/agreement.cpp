#include "comm/session/agreement.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"

namespace nntrain::comm {

namespace {

std::string take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// The first line in which two different texts differ.
std::pair<std::string, std::string> first_difference(std::string_view one, std::string_view other) {
  while (!one.empty() && !other.empty()) {
    const std::string first = take_line(one), second = take_line(other);
    if (first != second) return {first, second};
  }
  return {one.empty() ? "nothing" : take_line(one), other.empty() ? "nothing" : take_line(other)};
}

}  // namespace

void require_agreement(Session& session, std::string_view what, const std::string& mine) {
  const auto hash = static_cast<std::int64_t>(hash_bytes(std::as_bytes(std::span(mine)), 0));
  if (session.minimum(hash) == session.maximum(hash)) return;
  const std::string all_of_me = session.host() + "\n" + mine;
  std::vector<std::string> hosts, texts;
  for (const std::vector<std::byte>& bytes : session.all_gather(std::as_bytes(std::span(all_of_me)))) {
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    hosts.push_back(take_line(text));
    texts.emplace_back(text);
  }
  const auto differs = [&](const std::string& text) { return text != texts.front(); };
  const auto first =
      static_cast<std::size_t>(std::find_if(texts.begin(), texts.end(), differs) - texts.begin());
  const auto [root, other] = first_difference(texts.front(), texts[first]);
  throw SharedError(
      ExitCode::kInput,
      fmt::format(
          "{} must be the same on all ranks, but {} of {} ranks have another one than rank 0: rank 0 on "
          "{} has \"{}\", rank {} on {} has \"{}\"",
          what, std::count_if(texts.begin(), texts.end(), differs), texts.size(), hosts.front(), root, first,
          hosts[first], other));
}

}  // namespace nntrain::comm
