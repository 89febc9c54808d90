#include "train/run/epoch_times.h"

#include <algorithm>
#include <cmath>

namespace nntrain::train {

namespace {

template <class Row>
Json rounded(const Row& row) {
  Json list = Json::array();
  for (const double seconds : row) list.push_back(std::round(seconds * 1e6) / 1e6);
  return list;
}

bool is_row(const Json& json) {
  return json.is_array() && json.size() == std::tuple_size_v<TimeRow> &&
         std::all_of(json.begin(), json.end(), [](const Json& value) { return value.is_number(); });
}

void add(TimeRow& to, const TimeRow& from) {
  for (std::size_t a = 0; a < to.size(); ++a) to[a] += from[a];
}

}  // namespace

std::vector<std::string> TimeTable::names() {
  std::vector<std::string> names(kActivityNames.begin(), kActivityNames.end());
  names.emplace_back("other");
  return names;
}

void TimeTable::close_epoch() {
  if (epochs % epochs_per_row == 0 && rows.size() == kMostRows) {
    for (std::size_t i = 0; i < kMostRows / 2; ++i) {
      rows[i] = rows[2 * i];
      add(rows[i], rows[2 * i + 1]);
    }
    rows.resize(kMostRows / 2);
    epochs_per_row *= 2;
  }
  if (epochs % epochs_per_row == 0) rows.emplace_back();
  add(rows.back(), open);
  open = {};
  ++epochs;
}

Json TimeTable::to_json() const {
  Json list = Json::array();
  for (const TimeRow& row : rows) list.push_back(rounded(row));
  return {{"names", names()},           {"first_epoch", first_epoch}, {"epochs_per_row", epochs_per_row},
          {"epochs", epochs},           {"rows", std::move(list)},    {"open", rounded(open)},
          {"waiting", rounded(waiting)}};
}

TimeTable TimeTable::from_json(const Json& json, std::int64_t epochs_done) {
  TimeTable table;
  table.first_epoch = epochs_done;
  // Another version may name other activities; its times are not worth a run.
  if (!json.is_object() || json.value("names", Json()) != Json(names())) return table;
  TimeTable stored;
  stored.first_epoch = json.value("first_epoch", std::int64_t{0});
  stored.epochs_per_row = json.value("epochs_per_row", std::int64_t{0});
  stored.epochs = json.value("epochs", std::int64_t{0});
  const Json rows = json.value("rows", Json::array()), open = json.value("open", Json());
  const bool whole = stored.first_epoch + stored.epochs == epochs_done && stored.epochs_per_row > 0 &&
                     rows.size() <= kMostRows && is_row(open) &&
                     std::all_of(rows.begin(), rows.end(), is_row) &&
                     static_cast<std::int64_t>(rows.size()) ==
                         (stored.epochs + stored.epochs_per_row - 1) / stored.epochs_per_row;
  if (!whole) return table;
  for (const Json& row : rows) stored.rows.push_back(row.get<TimeRow>());
  stored.open = open.get<TimeRow>();
  for (const Json& seconds : json.value("waiting", Json::array()))
    stored.waiting.push_back(seconds.is_number() ? seconds.get<double>() : 0.0);
  return stored;
}

void EpochTimes::begin(const ActivityTimes& times) {
  running_ = true;
  last_ = Clock::now();
  counted_ = times.all();
}

void EpochTimes::look(comm::Session& session, const ActivityTimes& times) {
  if (!running_) return;
  const Clock::time_point now = Clock::now();
  TimeRow mine{};
  double rest = std::chrono::duration<double>(now - last_).count();
  for (std::size_t a = 0; a < kActivities; ++a) {
    mine[a] = times.all()[a] - counted_[a];
    rest -= mine[a];
  }
  mine.back() = std::max(rest, 0.0);
  last_ = now;
  counted_ = times.all();
  const auto gathered = session.gather(std::as_bytes(std::span(mine)));
  if (gathered.empty()) return;
  table.waiting.resize(gathered.size());
  for (std::size_t rank = 0; rank < gathered.size(); ++rank) {
    const auto* seconds = reinterpret_cast<const double*>(gathered[rank].data());
    for (std::size_t a = 0; a < table.open.size(); ++a)
      table.open[a] += seconds[a] / static_cast<double>(gathered.size());
    table.waiting[rank] += seconds[static_cast<std::size_t>(Activity::kWaiting)];
  }
}

}  // namespace nntrain::train
