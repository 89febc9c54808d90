#pragma once
// Checksums of formats, made right again after libFuzzer has changed what they are of: nearly every change
// would else end at the first checksum, and what a file says behind it would never be read.

#include <string>

namespace nntrain::fuzz {

/// Of headers of HDF5 1.8's format: superblock, object headers and their continuations.
std::string with_hdf5_checksums(std::string file);

/// Of the stored entries of a zip archive.
std::string with_zip_checksums(std::string archive);

}  // namespace nntrain::fuzz
