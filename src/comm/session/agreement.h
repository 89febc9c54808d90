#pragma once
// What must be the same on every rank.

#include <string>
#include <string_view>

#include "comm/session/session.h"

namespace nntrain::comm {

/// Collective. Throws SharedError (kInput) unless every rank's `mine` is rank 0's: names the first rank and
/// host that has another one, how many have, and the first line that differs, as both have it. `what`: "the
/// configuration". Costs two small messages when all agree.
void require_agreement(Session& session, std::string_view what, const std::string& mine);

}  // namespace nntrain::comm
