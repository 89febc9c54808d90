#pragma once
// Private to src/checkpoint: writing a checkpoint up to the rename.

#include <string>

#include "checkpoint/checkpoint.h"
#include "checkpoint/digest.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {

/// Everything of `contents`, from the file's root on.
void write_contents(io::Hdf5Group root, const Contents& contents);
/// Bytes of a file of `contents`, with room to spare.
std::int64_t payload_bytes(const Contents& contents);

/// Writes `contents` to the temporary file of `file`, reads it back, compares the digests and brings it to
/// the disk. Left to do: file.commit().
void write_and_verify(io::AtomicFile& file, const Contents& contents);

/// Throws InputError unless `path` holds `written`, of which `arrays` are the digests: everything is looked
/// at as by read(), and the arrays are compared with those in memory, piece by piece, which is quicker than
/// hashing them again.
void verify(const std::string& path, const Contents& written, const ArrayDigests& arrays);

/// Bytes that a file of `floats` float32 values will need, with room for its texts.
std::int64_t file_bytes(std::int64_t floats, std::int64_t text_bytes);

}  // namespace nntrain::checkpoint
