#pragma once
// One source on all ranks of a node: its first rank opens it and reads it, the others are told.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "comm/session/session.h"
#include "data/array_source.h"
#include "data/batch.h"

namespace nntrain::train {

struct LoadedArray {
  data::ArrayInfo info;
  std::string fingerprint;  ///< SHA-256 of all of it; empty: it was not read
  std::string sampled;      ///< SHA-256 of some rows; empty: not wanted
  std::string source;
  comm::SharedArray memory;  ///< empty: it stays on disk
};

/// `open` runs on the first rank of each node and returns what is to be shared. Collective.
LoadedArray open_array(comm::Session& session, const std::string& key, const std::string& source,
                       const std::function<data::ArrayInfo()>& open);
/// Memory for the array; `read` fills it on the first rank of each node. Collective.
void read_array(comm::Session& session, const std::string& key, LoadedArray& array,
                const std::function<void(std::span<std::byte>)>& read);
/// InputError unless `fingerprint`, which the first rank of each node has, is the same on all nodes. Gives it
/// to all ranks. Collective.
void require_same_file(comm::Session& session, const std::string& key, const std::string& source,
                       std::string& fingerprint);
/// Both.
LoadedArray share_array(comm::Session& session, const std::string& key, const std::string& source,
                        const std::function<data::ArrayInfo()>& open,
                        const std::function<void(std::span<std::byte>)>& read);

data::ArrayView view_of(const LoadedArray& array, data::RowRange rows);

}  // namespace nntrain::train
