#pragma once
// Private to src/io: what is looked at in the messages of an object header before libhdf5 decodes them.

#include <string>

#include "io/hdf5_raw.h"

namespace nntrain::io {

/// Whether an attribute's name, type, shape and value end inside of its message.
bool attribute_fits(RawBytes message, const RawStructures& file);

/// What is wrong with the names of a group of the oldest format, of which this is the symbol table message;
/// empty: nothing.
std::string symbol_table_damage(RawBytes message, RawStructures& file);

/// The same of the names of the files that hold a dataset's values, of which this is the message.
std::string external_files_damage(RawBytes message, RawStructures& file);

}  // namespace nntrain::io
