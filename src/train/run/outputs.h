#pragma once
// Which files a run writes, checked before it begins: against its inputs, one another and what is there
// (io/output_guard.h), and whether they can be written at all.

#include <memory>
#include <string>
#include <vector>

#include "io/output_guard.h"
#include "train/callbacks/callback.h"
#include "train/config/settings.h"

namespace nntrain::train {

/// Every file that the data keys name.
void add_data_inputs(io::OutputGuard& guard, const DataSettings& data);

/// Is there a picture as plot and run.plot draw it, of the kind that the name's ending says?
bool is_picture(const std::string& path);

/// Rank 0, before the log is opened: throws InputError when run.log is an input, a file of another program, a
/// folder or a pipe. A terminal and /dev/null are fine.
void require_log_file(const Configuration& configuration);

/// Rank 0, before the first step. Throws InputError for an output that must not be written, WriteError for a
/// full disk. Returns the guard, which knows everything that the run reads and writes.
io::OutputGuard guard_outputs(const Configuration& configuration, const Settings& settings,
                              const std::vector<std::unique_ptr<Callback>>& callbacks);

}  // namespace nntrain::train
