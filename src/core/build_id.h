#pragma once
// Which build of a program this is.

#include <string>

namespace nntrain {

/// What the linker made of all object files of the running program (GNU build id), as hex digits: another one
/// for other sources, options or compilers. "" where the linker gave none.
std::string build_id();

}  // namespace nntrain
