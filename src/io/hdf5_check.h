#pragma once
// Private to src/io: what is looked at in the messages of an object header before libhdf5 decodes them.

#include <string>

#include "io/hdf5_raw.h"

namespace nntrain::io {

/// What is wrong with a message of an object header that says of itself how long it is (shape, element type,
/// layout, links ..): empty when it ends inside of its place, or is of another kind.
std::string message_damage(unsigned type, RawBytes message, const RawStructures& file);

/// Whether the description of an element type ends inside of these bytes.
bool type_fits(RawBytes type, std::size_t address_bytes);

/// Whether an attribute's name, type, shape and value end inside of its message.
bool attribute_fits(RawBytes message, const RawStructures& file);

/// What is wrong with the names of a group of the oldest format, of which this is the symbol table message;
/// empty: nothing.
std::string symbol_table_damage(RawBytes message, RawStructures& file);

/// The same of the names of the files that hold a dataset's values, of which this is the message.
std::string external_files_damage(RawBytes message, RawStructures& file);

}  // namespace nntrain::io
