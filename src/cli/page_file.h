#pragma once
// The file that --output names, for pages.

#include <string>

#include "train/config/settings.h"

namespace nntrain::cli {

/// Throws InputError unless `path` ends in .html: before anything is read.
void check_page_path(const std::string& path, const std::string& command);
/// Rank 0, before anything is computed. Throws InputError when `path` is the model, the configuration's data
/// or a file that is no page of this program, or when it cannot be written.
void check_page_output(const std::string& path, const std::string& model_file,
                       const train::DataSettings& data);

/// The file appears by rename. Throws RuntimeError when writing fails. Local.
void write_page(const std::string& path, const std::string& page);

}  // namespace nntrain::cli
