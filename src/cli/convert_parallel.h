#pragma once
// convert by all ranks: each parses pieces of the text, rank 0 writes what they found in its order.

#include <optional>
#include <string>
#include <vector>

#include "cli/convert_output.h"
#include "comm/session/session.h"
#include "data/array_source.h"
#include "io/hdf5.h"

namespace nntrain::cli {

/// How tables are read that all ranks may parse; what they are is decided by the first rank that looks.
struct ConvertedTable {
  data::SourceOptions inputs;
  std::optional<data::SourceOptions> targets;
  int gzip = 0;
};

/// Is it worth while, and can it be done? Collective.
bool parses_in_parallel(comm::Session& session, const ConvertedTable& table);
/// `root`: of the output, on rank 0. False on all ranks when something is there that needs the whole table,
/// or is wrong: then whoever reads it alone finds out. Collective.
bool convert_in_parallel(comm::Session& session, const ConvertedTable& table, io::Hdf5Group* root,
                         std::string& text, std::vector<std::string>& notes);

}  // namespace nntrain::cli
