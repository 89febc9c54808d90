#include "checkpoint/run_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>

#include "checkpoint/written_file.h"
#include "core/error.h"
#include "core/in_parallel.h"
#include "core/json.h"
#include "io/hdf5.h"
#include "io/process_identity.h"

namespace nntrain::checkpoint {

namespace {

bool holds_text(const std::string& path, const std::string& text) {
  std::ifstream file(path, std::ios::binary);
  std::string block(std::size_t{1} << 20, '\0');
  std::string tail;
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    const std::string piece = tail + block.substr(0, static_cast<std::size_t>(file.gcount()));
    if (piece.find(text) != std::string::npos) return true;
    tail = piece.substr(piece.size() - std::min(piece.size(), text.size()));
  }
  return false;
}

/// A limit on the size of one file is not helped by removing others.
bool is_full(const io::WriteError& error) { return error.cause() == ENOSPC || error.cause() == EDQUOT; }

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

std::string where_of(const RunState& state) {
  return "epoch " + std::to_string(state.epoch) + ", step " + std::to_string(state.step);
}

}  // namespace

bool is_ours(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || !io::Hdf5File::is_hdf5(path))
    return false;
  try {
    return io::Hdf5File::open(path).root().has("nntrain_dist");
  } catch (const Error&) {
    return holds_text(path, "nntrain_dist");  // damaged: the group's name is somewhere in it
  }
}

void require_checkpoint_name(const std::string& path, const std::string& what) {
  const std::string cure = "; give a name that ends in .h5, which Keras opens, too";
  if (path.ends_with(".weights.h5"))
    throw InputError(what + " = \"" + path + "\": Keras has another layout for files named .weights.h5" +
                     cure);
  if (path.ends_with(".h5") || path.ends_with(".hdf5")) return;
  throw InputError(what + " = \"" + path + "\" is no name for a checkpoint, which is an HDF5 file" + cure);
}

void require_layer_names(const std::vector<std::string>& layer_names) {
  for (const std::string& name : layer_names) {
    const char* fault = name.empty()                           ? "is empty"
                        : name == "." || name == ".."          ? "is a path"
                        : name.find('/') != std::string::npos  ? "holds a \"/\""
                        : name.find('\0') != std::string::npos ? "holds a zero byte"
                        : !is_utf8(name)                       ? "is not UTF-8"
                                                               : nullptr;
    if (fault == nullptr) continue;
    throw InputError("the layer name " + json_text(shortened(name)) + " " + fault +
                     "; a Keras file cannot hold it, give the layer another name");
  }
}

namespace {

/// Every array of `contents` with what messages call it.
template <class Visit>
void each_named_array(const Contents& contents, Visit&& visit) {
  for (const WeightArray& weight : contents.weights) visit(weight.layer + "/" + weight.name, weight.values);
  for (const Slot& slot : contents.slots) {
    std::size_t i = 0;
    for (const WeightArray& weight : contents.weights) {
      if (!weight.trainable || i >= slot.values.size()) continue;
      visit("the optimizer's " + slot.name + " of " + weight.layer + "/" + weight.name, slot.values[i++]);
    }
  }
  for (const auto& [name, weights] : contents.extra_weights) {
    for (const WeightArray& weight : weights)
      visit("the kept weights \"" + name + "\", " + weight.layer + "/" + weight.name + ",", weight.values);
  }
}

bool is_finite(const std::vector<float>& values) {
  bool finite = true;  // without an early end the compiler makes it a vector loop
  for (const float value : values) finite &= std::isfinite(value);
  return finite;
}

}  // namespace

void require_finite(const std::string& path, const Contents& contents) {
  std::atomic<bool> finite = true;
  std::vector<std::function<void()>> tasks;
  each_named_array(contents, [&](const std::string&, const std::vector<float>& values) {
    tasks.emplace_back([&finite, array = &values] {
      if (!is_finite(*array)) finite = false;
    });
  });
  in_parallel(tasks);
  if (finite) return;
  each_named_array(contents, [&](const std::string& what, const std::vector<float>& values) {
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad == values.end()) return;
    throw DivergedError(what + " holds " + (std::isnan(*bad) ? "NaN" : "Inf") + " (element " +
                        std::to_string(bad - values.begin()) +
                        "): training diverged, nothing is written to \"" + path + "\"" +
                        (exists(path) ? ", which keeps the state before" : "") +
                        ". A smaller learning rate, clipping (clipnorm=1) or warm-up may help");
  });
}

RunFile::RunFile(std::string path, int keep, io::System& system)
    : system_(system), path_(std::move(path)), target_(io::follow_links(path_)), keep_(std::max(1, keep)) {
  require_checkpoint_name(path_, "checkpoint.path");
  if (const std::string kind = io::kind_of_special_file(path_); !kind.empty())
    throw InputError("checkpoint.path = \"" + path_ + "\" is " + kind + "; give the name of a file");
  try {
    lock_ = std::make_unique<io::OwnerLock>(path_, system_);
  } catch (const io::WriteError& error) {
    lock_error_ = error.what();
  }
  if (lock_) {
    io::remove_abandoned_temporaries(target_, system_);
    io::remove_abandoned_temporaries(copy_path(1), system_);
  }
  for (int k = 1; k < keep_; ++k) {
    if (!checkpoint::exists(copy_path(k)) || is_ours(copy_path(k))) continue;
    throw InputError("\"" + copy_path(k) + "\" is where the copy of the checkpoint \"" + path_ +
                     "\" belongs, but it is no checkpoint of nntrain-dist; move it away, or say "
                     "checkpoint.keep = " +
                     std::to_string(k));
  }
  seen_ = look();
}

std::string RunFile::copy_path(int number) const { return target_ + "." + std::to_string(number); }

RunFile::Seen RunFile::look() const {
  struct stat status {};
  if (::stat(target_.c_str(), &status) != 0) return {};
  return {true, status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

std::optional<RunFile::Found> RunFile::read_newest() {
  seen_ = look();
  if (!seen_.exists) return std::nullopt;
  Found found;
  std::string damage;
  try {
    found.contents = read(path_);
    return found;
  } catch (const InputError& error) {
    if (!is_ours(path_)) throw;
    damage = error.what();
  }
  for (int k = 1; checkpoint::exists(copy_path(k)); ++k) {
    try {
      found.contents = read(copy_path(k));
    } catch (const InputError&) {
      continue;
    }
    if (!found.contents.ours) continue;
    const std::string aside = lock_ ? set_aside() : path_;
    found.note = damage + ". The copy before it, \"" + copy_path(k) + "\" at " +
                 where_of(found.contents.state) +
                 ", is whole: the run goes on from there, and what was "
                 "trained after it is trained again. The damaged file is kept as \"" +
                 aside + "\"";
    return found;
  }
  throw InputError(damage);
}

void RunFile::try_write(const std::vector<std::string>& layer_names, std::int64_t floats) {
  require_layer_names(layer_names);
  if (!lock_) throw InputError(lock_error_);
  const std::int64_t bytes = file_bytes(floats, static_cast<std::int64_t>(layer_names.size()) * 4096);
  try {
    io::try_output(path_, bytes, system_);
  } catch (const io::WriteError& error) {
    // The copies' room is taken when it is needed.
    if (!is_full(error) || !checkpoint::exists(copy_path(1))) throw;
  }
}

void RunFile::require_unchanged() const {
  lock_->require_held();
  const Seen now = look();
  if (!now.exists || now == seen_) return;
  throw RuntimeError("\"" + path_ + "\" was " + (seen_.exists ? "changed" : "made") +
                     " by somebody else since this run last saw it; it is not written over. Another run may "
                     "use the same checkpoint.path");
}

void RunFile::write(const Contents& contents) {
  require_finite(path_, contents);
  if (!lock_) throw RuntimeError(lock_error_);
  require_unchanged();
  for (;;) {
    try {
      write_new(contents);
      break;
    } catch (const io::WriteError& error) {
      if (!is_full(error) || !drop_oldest_copy()) throw;
    }
  }
  seen_ = look();
}

void RunFile::write_new(const Contents& contents) {
  io::AtomicFile file(path_, system_);
  write_and_verify(file, contents);
  require_unchanged();
  if (seen_.exists) rotate();
  file.commit();
}

bool RunFile::drop_oldest_copy() {
  int oldest = 0;
  while (checkpoint::exists(copy_path(oldest + 1)) && is_ours(copy_path(oldest + 1))) ++oldest;
  return oldest > 0 && system_.unlink(copy_path(oldest)) == 0;
}

/// The file that is there gets a second name, or a copy where there are no hard links: `path` is never
/// missing.
void RunFile::rotate() {
  if (keep_ < 2) return;
  // A run that was killed after this and before the new file's rename has left both names on one file. A
  // third name would stay: renaming one of a file's names to another does nothing.
  if (is_same_file(target_, copy_path(1))) return;
  const std::string second = io::temporary_name(copy_path(1));
  system_.unlink(second);
  if (system_.link(target_, second) != 0) {
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
      shift_copies(), copy_newest();
    return;
  }
  shift_copies();
  if (system_.rename(second, copy_path(1)) != 0) system_.unlink(second);
}

void RunFile::shift_copies() {
  for (int k = keep_ - 1; k > 1; --k) {
    if (checkpoint::exists(copy_path(k - 1))) system_.rename(copy_path(k - 1), copy_path(k));
  }
}

void RunFile::copy_newest() {
  io::AtomicFile copy(copy_path(1), system_);
  std::ifstream newest(target_, std::ios::binary);
  std::string block(std::size_t{1} << 20, '\0');
  while (newest.read(block.data(), static_cast<std::streamsize>(block.size())) || newest.gcount() > 0)
    copy.append({block.data(), static_cast<std::size_t>(newest.gcount())});
  copy.commit();
}

std::string RunFile::set_aside() {
  const std::string aside = checkpoint::set_aside(target_);
  seen_ = look();
  return aside;
}

}  // namespace nntrain::checkpoint
