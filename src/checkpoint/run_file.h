#pragma once
// The checkpoint of a run on the disk: one owner, the newest file and the copies before it. Rank 0 only.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "io/atomic_file.h"
#include "io/owner_lock.h"

namespace nntrain::checkpoint {

class RunFile {
 public:
  /// Takes the lock of `path` and removes temporary files of runs that are gone. `keep` >= 1: the newest file
  /// and keep - 1 copies, "run.h5.1" the one before. Throws InputError when another run holds the lock, when
  /// the name is none for a checkpoint or a copy's name is taken by a file that is no checkpoint of ours. A
  /// folder that may not be written to is an error only when something is to be written.
  explicit RunFile(std::string path, int keep = 2, io::System& system = io::System::posix());

  const std::string& path() const { return path_; }
  bool exists() const { return checkpoint::exists(path_); }

  struct Found {
    Contents contents;
    std::string note;  ///< not empty: the newest file was damaged, what was taken instead and what is lost
  };
  /// The newest file or, when that is damaged, the newest copy that is whole; the damaged file is set aside.
  /// Nothing when there is no file. Throws InputError when no copy is whole, or the file is not ours;
  /// RuntimeError when the disk fails (EIO): a file that cannot be read now is not given up.
  std::optional<Found> read_newest();

  /// Before the first step: would write() work for these layers and so many floats (weights, slots and kept
  /// weights together)? Throws as write() would, InputError where the user can mend it.
  void try_write(const std::vector<std::string>& layer_names, std::int64_t floats);

  /// As checkpoint::write; the file that was there becomes the first copy once the new one is verified. On a
  /// full disk the copies are given up first, oldest first. RuntimeError when the lock was lost or somebody
  /// else changed the file.
  void write(const Contents& contents);

  /// As checkpoint::set_aside, for a checkpoint of ours only.
  std::string set_aside();

  std::string copy_path(int number) const;

 private:
  struct Seen {  ///< which file was there when it was last read or written
    bool exists = false;
    std::uint64_t device = 0, inode = 0;
    std::int64_t bytes = 0, seconds = 0, nanoseconds = 0;
    bool operator==(const Seen&) const = default;
  };
  Seen look() const;
  void require_unchanged() const;
  void write_new(const Contents& contents);
  bool drop_oldest_copy();
  void rotate();
  void shift_copies();
  void copy_newest();

  io::System& system_;
  std::string path_;
  std::string target_;
  int keep_;
  std::unique_ptr<io::OwnerLock> lock_;
  std::string lock_error_;  ///< why there is no lock; "": there is one
  Seen seen_;
};

/// Is there a checkpoint that nntrain-dist wrote at `path`, whole or damaged? Never throws.
bool is_ours(const std::string& path);

/// Throws InputError unless `path` can be a checkpoint's name: .h5 or .hdf5, as Keras wants it.
void require_checkpoint_name(const std::string& path, const std::string& what);

/// Throws InputError when a layer's name cannot stand in a Keras file: empty, ".", "..", with "/" or not
/// UTF-8.
void require_layer_names(const std::vector<std::string>& layer_names);

/// Throws DivergedError naming layer and variable when a weight, a slot or a kept weight is NaN or Inf.
void require_finite(const std::string& path, const Contents& contents);

}  // namespace nntrain::checkpoint
