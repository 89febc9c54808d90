#pragma once
// The commands. Each is collective; all ranks return the same code or throw alike.

#include "cli/command_line.h"
#include "comm/session/session.h"
#include "core/stop_token.h"

namespace nntrain::cli {

ExitCode train(comm::Session& session, const CommandLine& line, StopToken& stop);
ExitCode evaluate(comm::Session& session, const CommandLine& line);
ExitCode predict(comm::Session& session, const CommandLine& line);
ExitCode summary(comm::Session& session, const CommandLine& line);
ExitCode inspect(comm::Session& session, const CommandLine& line);
ExitCode vocabulary();
ExitCode version();

/// The text of docs/vocabulary.md, from the registries.
std::string vocabulary_text();
std::string version_number();

}  // namespace nntrain::cli
