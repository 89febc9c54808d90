#include "data/tables/unknown_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nntrain::data {

namespace {

constexpr std::size_t kMostShown = 4;

}  // namespace

void UnknownWords::add(std::string_view word, std::int64_t count) {
  cells += count;
  if (words.size() < kMostShown && std::find(words.begin(), words.end(), word) == words.end())
    words.emplace_back(word);
}

void UnknownWords::add(const UnknownWords& more) {
  for (const std::string& word : more.words) add(word, 0);
  cells += more.cells;
}

std::string unknown_note(const std::string& where, const UnknownWords& unknown, bool text) {
  std::string list;
  for (std::size_t i = 0; i < unknown.words.size() && i + 1 < kMostShown; ++i)
    list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", unknown.words[i].substr(0, 40));
  return fmt::format("{}: {} hold{} a word that {} not have ({}{}): taken as [UNK]", where,
                     unknown.cells == 1 ? "1 cell" : fmt::format("{} cells", unknown.cells),
                     unknown.cells == 1 ? "s" : "",
                     text ? "the model's vocabulary does" : "the training rows do", list,
                     unknown.words.size() < kMostShown ? "" : ", ...");
}

void ValueCounts::add(float value, bool trains) {
  if (std::isnan(value)) {
    missing += trains;
    return;
  }
  if (value < 0) return;
  const auto at = static_cast<std::size_t>(value);
  if (at >= all.size()) {
    all.resize(at + 1, 0);
    training.resize(at + 1, 0);
  }
  ++all[at];
  training[at] += trains;
}

}  // namespace nntrain::data
