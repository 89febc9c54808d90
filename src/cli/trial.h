#pragma once
// Runs that leave nothing behind: what check, plan and verify try out.

#include <cstdint>
#include <string>

#include "comm/session/session.h"
#include "train/config/configuration.h"
#include "train/run/run.h"

namespace nntrain::cli {

/// Replaces whatever was set.
void set_key(train::Configuration& configuration, const std::string& key, const std::string& value);

/// The configuration of a run that writes nothing but `checkpoint`: no callbacks, logs, profiles or
/// checkpoints between epochs, no validation, nothing printed.
train::Configuration trial_configuration(const train::Configuration& configuration,
                                         const std::string& checkpoint);

/// Name of a file that is not there, in a temporary folder of rank 0's; the same on all ranks. Collective.
std::string trial_path(comm::Session& session);
/// Removes what a trial made there. Local.
void remove_trial(const comm::Session& session, const std::string& path);

/// Seconds of one step, after one to warm up: `steps` of them, or fewer once they have taken `most_seconds`.
/// Changes the values in memory. Collective; the same on all ranks.
double measure_step(train::Run& run, std::int64_t steps, double most_seconds);

/// "1 rank", "4 ranks"
std::string count_of(std::int64_t count, const std::string& what);
/// "512.0 MB", "3.20 GB"
std::string format_bytes(double bytes);

}  // namespace nntrain::cli
