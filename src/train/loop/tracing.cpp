#include "train/loop/tracing.h"

#include <fmt/format.h>

#include <algorithm>

namespace nntrain::train {

Tracing::Tracing(Run& run) : run_(run) {
  if (run.settings.run.profile.empty()) return;
  profile_ = std::make_unique<Profile>(run.session, run.settings.run.profile);
  run.times.record_in(*profile_);
  step_name_ = profile_->name("step");
  std::vector<int> forward, backward;
  for (const auto& layer : run.model->layers()) {
    forward.push_back(profile_->name(layer->name() + " forward"));
    backward.push_back(profile_->name(layer->name() + " backward"));
  }
  Profile& profile = *profile_;
  run.model->on_layer = [&profile, forward, backward, start = Profile::Clock::time_point()](
                            int layer, char phase, bool begins) mutable {
    const auto now = Profile::Clock::now();
    if (begins) {
      start = now;
    } else {
      profile.add(Lane::kLayer, (phase == 'F' ? forward : backward)[static_cast<std::size_t>(layer)], start,
                  now);
    }
  };
  run.engine->exchange().on_wait(
      [&profile, &times = run.times, wait = profile.name("wait")](auto from, auto to) {
        times.add_wait(from, to);
        profile.add(Lane::kWait, wait, from, to);
      });
}

Tracing::~Tracing() {
  if (!profile_) return;
  run_.times.record_nowhere();
  run_.model->on_layer = nullptr;
  run_.engine->exchange().on_wait([&times = run_.times](auto from, auto to) { times.add_wait(from, to); });
}

void Tracing::write() {
  if (!profile_) return;
  const std::int64_t dropped = profile_->write();
  run_.log.info("Profile written to " + run_.settings.run.profile +
                "; open it with chrome://tracing or Perfetto");
  if (dropped == 0) return;
  run_.log.note(fmt::format(
      "{} events of the profile were dropped: it holds the first {} of each rank. Profile fewer epochs "
      "or steps",
      dropped, std::min(Profile::kMostEventsOfRank, Profile::kMostEvents / run_.session.size())));
}

}  // namespace nntrain::train
