#pragma once
// INI files, read by Boost.

#include <string>

#include "train/config/configuration.h"

namespace nntrain::cli {

/// What `#` means: in a file it begins a comment at the start of a line or after white space, in the text
/// that a checkpoint keeps it is a character like any other.
enum class Hash { kComment, kCharacter };

/// Reads INI text into `configuration`; values carry "origin:line". Throws InputError naming the line.
void read_ini(const std::string& text, const std::string& origin, Hash hash,
              train::Configuration& configuration);

}  // namespace nntrain::cli
