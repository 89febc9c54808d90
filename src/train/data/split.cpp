#include "train/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "core/error.h"
#include "data/sampler.h"

namespace nntrain::train {

namespace {

/// The epoch whose permutation splits: none that trains.
constexpr std::int64_t kSplitEpoch = -1;

/// As Keras: split_at = int(rows * (1 - fraction)).
std::int64_t rows_that_train(std::int64_t rows, double fraction, const std::string& key) {
  const auto split = static_cast<std::int64_t>(std::floor(static_cast<double>(rows) * (1.0 - fraction)));
  if (split == 0 || split == rows) {
    throw InputError(
        fmt::format("{} leaves {} of {} rows for training; both parts need rows", key, split, rows));
  }
  return split;
}

void refuse_both(const std::string& first, const std::string& second) {
  throw InputError(first + " and " + second + " both say which rows validate; give one of them");
}

void check_one_way(const DataSettings& data, const FitSettings& fit, bool own_validation) {
  const std::string split = "data.validation = split(..)", folds = "data.folds";
  const std::string rows = "data.validation_rows = " + data.validation_rows;
  const std::string fraction = fmt::format("fit.validation_split = {:g}", fit.validation_split);
  const bool by_split = data.split.fraction > 0, by_folds = data.split.folds > 0;
  if (fit.validation_split > 0) {
    if (own_validation) refuse_both("data.validation_inputs", fraction);
    if (!data.validation_rows.empty()) refuse_both(rows, fraction);
    if (by_split) refuse_both(split, fraction);
    if (by_folds) refuse_both(folds, fraction);
  }
  if (!by_split && !by_folds) return;
  if (own_validation) refuse_both("data.validation_inputs", by_split ? split : folds);
  if (!data.validation_rows.empty()) refuse_both(rows, by_split ? split : folds);
}

std::vector<std::int64_t> shuffled(data::RowRange rows, std::uint64_t seed) {
  const data::Sampler sampler(rows.count(), seed, kSplitEpoch, data::Order::kShuffled);
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.count()));
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = rows.begin + sampler.row(static_cast<std::int64_t>(i));
  return order;
}

/// How many rows of each class validate: shares by largest remainder, so that they sum to `wanted`.
std::map<std::int64_t, std::int64_t> shares(const std::map<std::int64_t, std::int64_t>& counts,
                                            std::int64_t rows, std::int64_t wanted) {
  std::map<std::int64_t, std::int64_t> share;
  std::vector<std::pair<double, std::int64_t>> remainders;
  std::int64_t given = 0;
  for (const auto& [label, count] : counts) {
    const double exact = static_cast<double>(count) * static_cast<double>(wanted) / static_cast<double>(rows);
    share[label] = static_cast<std::int64_t>(std::floor(exact));
    given += share[label];
    remainders.emplace_back(std::floor(exact) - exact, label);  // the largest remainder first
  }
  std::stable_sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; given < wanted && i < remainders.size(); ++i, ++given)
    ++share[remainders[i].second];
  return share;
}

/// A flag for each row: is its group chosen?
std::vector<bool> rows_of_groups(data::RowRange rows, const std::vector<std::int64_t>& group,
                                 const std::map<std::int64_t, bool>& chosen) {
  std::vector<bool> flags(static_cast<std::size_t>(rows.end), false);
  for (std::int64_t row = rows.begin; row < rows.end; ++row)
    flags[static_cast<std::size_t>(row)] = chosen.at(group[static_cast<std::size_t>(row)]);
  return flags;
}

/// Whole groups in a random order, each taken when it brings the part nearer to `wanted` rows.
std::vector<bool> validating_groups(data::RowRange rows, const SplitSettings& split,
                                    const std::vector<std::int64_t>& group, std::int64_t wanted) {
  std::map<std::int64_t, std::int64_t> sizes;
  std::vector<std::int64_t> in_order;  // each group once
  for (const std::int64_t row : shuffled(rows, split.seed)) {
    if (sizes[group[static_cast<std::size_t>(row)]]++ == 0)
      in_order.push_back(group[static_cast<std::size_t>(row)]);
  }
  std::map<std::int64_t, bool> chosen;
  std::int64_t have = 0;
  for (const std::int64_t one : in_order) {
    const std::int64_t with = have + sizes[one];
    chosen[one] = std::abs(with - wanted) < std::abs(have - wanted);
    if (chosen[one]) have = with;
  }
  if (have == 0 || have == rows.count()) {
    throw InputError(fmt::format(
        "data.validation leaves {} of {} rows for training, as {} groups are never cut; both parts "
        "need rows",
        rows.count() - have, rows.count(), in_order.size()));
  }
  return rows_of_groups(rows, group, chosen);
}

/// As scikit-learn's GroupKFold: the largest group left goes to the fold with the fewest rows.
std::vector<bool> validating_fold(data::RowRange rows, const SplitSettings& split,
                                  const std::vector<std::int64_t>& group) {
  std::map<std::int64_t, std::int64_t> sizes;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) ++sizes[group[static_cast<std::size_t>(row)]];
  if (split.folds > static_cast<std::int64_t>(sizes.size()))
    throw InputError(fmt::format("data.folds = {} are more than the {} groups", split.folds, sizes.size()));
  std::vector<std::pair<std::int64_t, std::int64_t>> largest_first;
  for (const auto& [name, size] : sizes) largest_first.emplace_back(-size, name);
  std::sort(largest_first.begin(), largest_first.end());
  std::vector<std::int64_t> filled(static_cast<std::size_t>(split.folds), 0);
  std::map<std::int64_t, bool> chosen;
  for (const auto& [size, name] : largest_first) {
    const auto fold = std::min_element(filled.begin(), filled.end());
    chosen[name] = fold - filled.begin() == split.fold;
    *fold -= size;
  }
  return rows_of_groups(rows, group, chosen);
}

/// Parts that keys name by rows: they may not cut a group.
void check_groups(const RowSplit& split, const std::vector<std::int64_t>& group) {
  std::map<std::int64_t, std::int64_t> trains;  // group -> one of its rows
  for (std::int64_t row = split.train.begin; row < split.train.end; ++row)
    trains.emplace(group[static_cast<std::size_t>(row)], row);
  for (std::int64_t row = split.validation.begin; row < split.validation.end; ++row) {
    const auto found = trains.find(group[static_cast<std::size_t>(row)]);
    if (found == trains.end() || found->second == row) continue;
    throw InputError(
        fmt::format("rows {} and {} are of one group (data.columns), but one trains and the other validates; "
                    "data.validation = split(0.1, shuffle=True) cuts no group",
                    found->second, row));
  }
}

std::vector<bool> validating_rows(data::RowRange rows, const SplitSettings& split, const RowClasses& classes,
                                  const RowGroups& groups) {
  if (groups && split.folds > 0) return validating_fold(rows, split, groups());
  if (groups) {
    if (!split.shuffle || split.stratify)
      throw InputError(
          "data.validation: with a column of kind group whole groups are drawn: split(0.1, shuffle=True), "
          "without stratify");
    return validating_groups(rows, split, groups(),
                             rows.count() - rows_that_train(rows.count(), split.fraction, "data.validation"));
  }
  std::vector<bool> validates(static_cast<std::size_t>(rows.end), false);
  const std::vector<std::int64_t> order = shuffled(rows, split.seed);
  if (split.folds > 0) {
    if (split.folds > rows.count()) {
      throw InputError(fmt::format("data.folds = {} are more than the {} rows", split.folds, rows.count()));
    }
    const std::int64_t begin = split.fold * rows.count() / split.folds;
    const std::int64_t end = (split.fold + 1) * rows.count() / split.folds;
    for (std::int64_t i = begin; i < end; ++i)
      validates[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
    return validates;
  }
  const std::int64_t wanted = rows.count() - rows_that_train(rows.count(), split.fraction, "data.validation");
  if (!split.shuffle) {
    for (std::int64_t row = rows.end - wanted; row < rows.end; ++row)
      validates[static_cast<std::size_t>(row)] = true;
    return validates;
  }
  std::map<std::int64_t, std::int64_t> left{{0, wanted}};
  std::vector<std::int64_t> label(static_cast<std::size_t>(rows.end), 0);
  if (split.stratify && classes) {
    label = classes();
    std::map<std::int64_t, std::int64_t> counts;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) ++counts[label[static_cast<std::size_t>(row)]];
    left = shares(counts, rows.count(), wanted);
  }
  for (const std::int64_t row : order) {
    std::int64_t& rest = left[label[static_cast<std::size_t>(row)]];
    if (rest == 0) continue;
    --rest;
    validates[static_cast<std::size_t>(row)] = true;
  }
  return validates;
}

RowSplit by_order(std::int64_t rows, data::RowRange used, const SplitSettings& settings,
                  const RowClasses& classes, const RowGroups& groups) {
  const std::vector<bool> validates = validating_rows(used, settings, classes, groups);
  RowSplit split;
  split.order.reserve(static_cast<std::size_t>(rows));
  for (const bool wanted : {false, true}) {
    for (std::int64_t row = used.begin; row < used.end; ++row) {
      if (validates[static_cast<std::size_t>(row)] == wanted) split.order.push_back(row);
    }
    if (!wanted) split.train = {0, static_cast<std::int64_t>(split.order.size())};
  }
  split.validation = {split.train.end, static_cast<std::int64_t>(split.order.size())};
  for (std::int64_t row = 0; row < rows; ++row) {
    if (row < used.begin || row >= used.end) split.order.push_back(row);
  }
  return split;
}

void check_overlap(const RowSplit& split, const DataSettings& data) {
  const std::int64_t begin = std::max(split.train.begin, split.validation.begin);
  const std::int64_t end = std::min(split.train.end, split.validation.end);
  if (begin >= end) return;
  std::string cure;
  if (split.validation.begin <= split.train.begin)
    cure = fmt::format("data.rows = {}: trains on the others", split.validation.end);
  if (split.validation.end >= split.train.end && split.validation.begin > split.train.begin)
    cure = fmt::format("data.rows = :{} trains on the others", split.validation.begin);
  throw InputError(fmt::format(
      "data.validation_rows = {} and data.rows = {} share the rows {} to {}, which would train and validate; "
      "{}",
      data.validation_rows, data.rows.empty() ? "(all)" : data.rows, begin, end - 1,
      cure.empty() ? "choose rows that do not meet, or data.validation = split(0.1, shuffle=True)" : cure));
}

}  // namespace

std::vector<bool> RowSplit::training_rows(std::int64_t rows) const {
  std::vector<bool> trains(static_cast<std::size_t>(rows), false);
  for (std::int64_t i = train.begin; i < train.end; ++i) {
    trains[static_cast<std::size_t>(order.empty() ? i : order[static_cast<std::size_t>(i)])] = true;
  }
  return trains;
}

RowSplit split_rows(std::int64_t rows, const DataSettings& data, const FitSettings& fit, bool own_validation,
                    const RowClasses& classes, const RowGroups& groups) {
  check_one_way(data, fit, own_validation);
  RowSplit split;
  split.train = data::parse_row_slice(data.rows, rows, "data.rows");
  if (split.train.count() == 0) {
    throw InputError(
        fmt::format("data.rows = {} selects none of the {} rows of \"{}\"", data.rows, rows, data.inputs));
  }
  if (own_validation) return split;
  if (data.split.fraction > 0 || data.split.folds > 0)
    return by_order(rows, split.train, data.split, classes, groups);
  if (!data.validation_rows.empty()) {
    split.validation = data::parse_row_slice(data.validation_rows, rows, "data.validation_rows");
    if (split.validation.count() == 0) {
      throw InputError(fmt::format("data.validation_rows = {} selects none of the {} rows of \"{}\"",
                                   data.validation_rows, rows, data.inputs));
    }
    if (data.rows.empty()) check_overlap(split, data);  // rows that both keys name are meant
  } else if (fit.validation_split > 0) {
    const std::int64_t kept =
        rows_that_train(split.train.count(), fit.validation_split, "fit.validation_split");
    split.validation = {split.train.begin + kept, split.train.end};
    split.train.end = split.train.begin + kept;
  }
  if (groups && split.validation.count() > 0) check_groups(split, groups());
  return split;
}

void reorder_rows(std::span<std::byte> memory, std::size_t row_bytes,
                  const std::vector<std::int64_t>& order) {
  if (order.empty() || row_bytes == 0) return;
  const std::vector<std::byte> before(memory.begin(), memory.end());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::memcpy(memory.data() + i * row_bytes, before.data() + static_cast<std::size_t>(order[i]) * row_bytes,
                row_bytes);
  }
}

}  // namespace nntrain::train
