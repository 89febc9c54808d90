#pragma once
// The room between the library's typed settings and the configuration that every run is made from: one way
// through the code for both.

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "nntrain/history.h"
#include "nntrain/settings.h"
#include "train/config/configuration.h"

namespace nntrain::library {

/// Overrides what `key` was.
void set(train::Configuration& configuration, const std::string& key, const std::string& text);

train::Configuration configuration_of(const Compile& compile);
train::Configuration configuration_of(const std::vector<std::string>& layers, const std::string& name);
/// `epochs_done`: of earlier fits; this one goes on from there.
void add_fit(const Fit& fit, std::int64_t epochs_done, train::Configuration& configuration);
/// data.inputs = x and so on, names of arrays in memory.
void add_sources(bool weighted, bool validates, train::Configuration& configuration);

/// How a file says that its model is compiled; nothing when it does not.
std::optional<Compile> compile_of(const checkpoint::Contents& contents);
/// Rank 0's, on every rank. Collective.
History history_of(comm::Session& session, const checkpoint::History& history);

}  // namespace nntrain::library
