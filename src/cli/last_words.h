#pragma once
// An exception that nothing catches.

#include <string>

namespace nntrain::cli {

/// From here on an exception that leaves a thread or a destructor (no memory is left where memory is freed,
/// for instance) ends the process with one block on standard error, "\n" + who + its text, and exit code 1,
/// instead of SIGABRT without a word; the launcher ends the other ranks. May be called again.
void say_last_words(const std::string& who);

}  // namespace nntrain::cli
