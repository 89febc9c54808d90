#pragma once
// The commands, one file each. Each is collective; all ranks return the same code or throw alike.

#include "cli/command_line.h"
#include "comm/session/session.h"

namespace nntrain::cli {

ExitCode train(comm::Session& session, const CommandLine& line);
ExitCode evaluate(comm::Session& session, const CommandLine& line);
ExitCode predict(comm::Session& session, const CommandLine& line);
ExitCode summary(comm::Session& session, const CommandLine& line);
ExitCode inspect(comm::Session& session, const CommandLine& line);
ExitCode export_model(comm::Session& session, const CommandLine& line);
ExitCode plot(comm::Session& session, const CommandLine& line);
ExitCode watch(comm::Session& session, const CommandLine& line);
ExitCode check(comm::Session& session, const CommandLine& line);
ExitCode plan(comm::Session& session, const CommandLine& line);
ExitCode verify(comm::Session& session, const CommandLine& line);
ExitCode report(comm::Session& session, const CommandLine& line);
ExitCode convert(comm::Session& session, const CommandLine& line);
ExitCode vocabulary(comm::Session& session, const CommandLine& line);

/// The text of docs/vocabulary.md, from the registries.
std::string vocabulary_text();

}  // namespace nntrain::cli
