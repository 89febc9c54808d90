#pragma once
// What this program is: version, commit, libraries.

#include <string>

namespace nntrain::cli {

/// "0.1.0", with the commit where it was built from a git tree: "0.1.0 (1a2b3c4d5e6f)".
std::string version_number();
/// Several lines: version, MPI, BLAS and kernel, HDF5.
std::string version_text();

}  // namespace nntrain::cli
