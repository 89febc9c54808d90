#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "io/hdf5_call.h"

namespace nntrain::io {

namespace {

using detail::Hdf5Context;
using detail::Hdf5Handle;

// With the address of what a hard link leads to.
#if H5_VERSION_GE(1, 12, 0)
using LinkInfo = H5L_info1_t;
constexpr auto get_link = H5Lget_info1;
#else
using LinkInfo = H5L_info_t;
constexpr auto get_link = H5Lget_info;
#endif

extern "C" herr_t add_link_name(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* names) {
  return static_cast<NamesFromHdf5*>(names)->add(name);
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string quoted_list(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  if (names.empty()) return "nothing";
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

/// Where a path ends. Every link on the way must be a hard link: others may lead out of the file.
struct Found {
  enum class State { kFound, kMissing, kRefused };
  State state = State::kMissing;
  Hdf5Handle object;      ///< kFound
  std::string at;         ///< path inside the file of the link that is missing or refused
  std::string link_kind;  ///< kRefused: "a soft link", ...
  Hdf5Handle last_group;  ///< kMissing: the group that lacks it
};

std::string link_kind(H5L_type_t type) {
  switch (type) {
    case H5L_TYPE_SOFT:
      return "a soft link";
    case H5L_TYPE_EXTERNAL:
      return "an external link";
    default:
      return "a user-defined link";
  }
}

Found walk(hid_t start, const std::string& start_path, std::string_view path, const Hdf5Context& context) {
  Found found;
  Hdf5Handle current = checked(H5Oopen(start, ".", H5P_DEFAULT), context,
                               object_name(context, start_path) + " cannot be opened");
  found.at = start_path == "/" ? "" : start_path;
  for (const std::string& part : split(path)) {
    found.at += "/" + part;
    LinkInfo link{};
    // H5Lexists fails when `current` is not a group: then the path is missing, too.
    if (H5Iget_type(current.id()) != H5I_GROUP || H5Lexists(current.id(), part.c_str(), H5P_DEFAULT) <= 0) {
      found.last_group = std::move(current);
      return found;
    }
    check(get_link(current.id(), part.c_str(), &link, H5P_DEFAULT), context,
          object_name(context, found.at) + " has no readable link");
    if (link.type != H5L_TYPE_HARD) {
      found.state = Found::State::kRefused;
      found.link_kind = link_kind(link.type);
      return found;
    }
    check_object(context, link.u.address, object_name(context, found.at));
    current = checked(H5Oopen(current.id(), part.c_str(), H5P_DEFAULT), context,
                      object_name(context, found.at) + " cannot be opened; the file is damaged, or newer");
  }
  found.state = Found::State::kFound;
  found.object = std::move(current);
  return found;
}

/// Throws when a link of the group cannot be decoded: libhdf5 1.10 would release links that it has not read
/// yet (H5Gcompact.c, H5G__compact_build_table and H5G__link_release_table) when it lists them. A search for
/// a name that is not there decodes them all.
void decode_links(hid_t group, const Hdf5Context& context, const std::string& what) {
  std::string absent = "absent";
  for (htri_t found = 1; found > 0; absent += '\'') {
    found = H5Lexists(group, absent.c_str(), H5P_DEFAULT);
    check(found, context, what);
  }
}

std::vector<std::string> link_names(hid_t group, const Hdf5Context& context, const std::string& name) {
  NamesFromHdf5 names;
  hsize_t position = 0;
  const std::string what = name + " cannot be listed; the file is damaged";
  decode_links(group, context, what);
  const herr_t listed = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &position, add_link_name, &names);
  if (!names.no_memory) check(listed, context, what);
  return names.sorted();
}

/// The object at `path`, which must be of `type`.
Hdf5Handle require(hid_t start, const std::string& start_path, std::string_view path,
                   const Hdf5Context& context, H5I_type_t type) {
  Found found = walk(start, start_path, path, context);
  const std::string wanted = type == H5I_GROUP ? "group" : "dataset";
  if (found.state == Found::State::kRefused) {
    fail(context,
         fmt::format("{} is {}; links that may lead to other files are refused: copy the {} into the file",
                     object_name(context, found.at), found.link_kind, wanted));
  }
  if (found.state == Found::State::kMissing) {
    const bool in_group = H5Iget_type(found.last_group.id()) == H5I_GROUP;
    const std::string parent = found.at.substr(0, found.at.rfind('/'));
    const std::string parent_name = object_name(context, parent.empty() ? "/" : parent);
    fail(context,
         fmt::format("{} has no {} \"{}\"; {}", parent_name, wanted, found.at.substr(found.at.rfind('/') + 1),
                     in_group
                         ? "there is " + quoted_list(link_names(found.last_group.id(), context, parent_name))
                         : "it is not a group"));
  }
  if (H5Iget_type(found.object.id()) != type) {
    const bool is_group = H5Iget_type(found.object.id()) == H5I_GROUP;
    fail(context,
         fmt::format(
             "{} is not a {}{}", object_name(context, found.at.empty() ? "/" : found.at), wanted,
             is_group ? "; it is a group of " + quoted_list(link_names(found.object.id(), context, found.at))
                      : ""));
  }
  return std::move(found.object);
}

Hdf5Handle link_properties(const Hdf5Context& context, const std::string& what) {
  Hdf5Handle link = checked(H5Pcreate(H5P_LINK_CREATE), context, what);
  check(H5Pset_create_intermediate_group(link.id(), 1), context, what);
  return link;
}

}  // namespace

Hdf5Group::Hdf5Group(std::shared_ptr<const Hdf5Context> context, Hdf5Handle handle, std::string path)
    : context_(std::move(context)),
      handle_(std::move(handle)),
      path_(std::move(path)),
      name_(object_name(*context_, path_)) {}

std::string Hdf5Group::name_of(std::string_view path) const {
  std::string full = path_ == "/" ? "" : path_;
  for (const std::string& part : split(path)) full += "/" + part;
  return full.empty() ? "/" : full;
}

namespace {

std::uint64_t header_address(hid_t object, const Hdf5Context& context, const std::string& name) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  check(H5Oget_info2(object, &info, H5O_INFO_BASIC), context, name + " cannot be found; the file is damaged");
  return info.addr;
}

}  // namespace

std::uint64_t Hdf5Group::address() const {
  const Hdf5Lock lock;
  return header_address(handle_.id(), *context_, name_);
}

std::vector<std::string> Hdf5Group::children() const {
  const Hdf5Lock lock;
  return link_names(handle_.id(), *context_, name_);
}

Hdf5Kind Hdf5Group::kind(std::string_view path) const {
  const Hdf5Lock lock;
  const Found found = walk(handle_.id(), path_, path, *context_);
  if (found.state == Found::State::kMissing) return Hdf5Kind::kMissing;
  if (found.state == Found::State::kRefused) return Hdf5Kind::kOther;
  switch (H5Iget_type(found.object.id())) {
    case H5I_GROUP:
      return Hdf5Kind::kGroup;
    case H5I_DATASET:
      return Hdf5Kind::kDataset;
    default:
      return Hdf5Kind::kOther;
  }
}

Hdf5Group Hdf5Group::group(std::string_view path) const {
  const Hdf5Lock lock;
  return {context_, require(handle_.id(), path_, path, *context_, H5I_GROUP), name_of(path)};
}

Hdf5Dataset Hdf5Group::dataset(std::string_view path) const {
  const Hdf5Lock lock;
  return {context_, require(handle_.id(), path_, path, *context_, H5I_DATASET),
          object_name(*context_, name_of(path))};
}

Hdf5Group Hdf5Group::create_group(std::string_view path) {
  const Hdf5Lock lock;
  if (kind(path) == Hdf5Kind::kGroup) return group(path);
  create_parent(path);
  const std::string full = name_of(path);
  const std::string what = fmt::format("cannot write the group {}", object_name(*context_, full));
  const Hdf5Handle link = link_properties(*context_, what);
  const Hdf5Handle creation = checked(H5Pcreate(H5P_GROUP_CREATE), *context_, what);
  check(H5Pset_obj_track_times(creation.id(), false), *context_, what);
  return {
      context_,
      checked(H5Gcreate2(handle_.id(), full.c_str(), link.id(), creation.id(), H5P_DEFAULT), *context_, what),
      full};
}

/// Groups on the way: libhdf5 would make them with the time of day in them, and equal content would not be
/// equal bytes.
void Hdf5Group::create_parent(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos && slash > 0) create_group(path.substr(0, slash));
}

void Hdf5Group::write_memory(std::string_view path, const Shape& shape, std::int64_t file_type,
                             std::int64_t memory_type, std::int64_t given, const void* values) {
  Hdf5Lock lock;
  create_parent(path);
  const std::string full = name_of(path);
  const auto element_bytes = static_cast<std::int64_t>(H5Tget_size(file_type));
  const std::string what = fmt::format("cannot write the dataset {} of {} bytes",
                                       object_name(*context_, full), given * element_bytes);
  if (shape.size() != given) {
    throw RuntimeError(fmt::format("internal: {}: shape {} for {} values", what, shape.to_string(), given));
  }
  const Hdf5Handle link = link_properties(*context_, what);
  const Hdf5Handle creation = checked(H5Pcreate(H5P_DATASET_CREATE), *context_, what);
  check(H5Pset_obj_track_times(creation.id(), false), *context_, what);
  check(H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER), *context_, what);
  const Hdf5Handle space = checked(make_space(shape), *context_, what);
  Hdf5Handle dataset = checked(
      H5Dcreate2(handle_.id(), full.c_str(), file_type, space.id(), link.id(), creation.id(), H5P_DEFAULT),
      *context_, what);
  const std::int64_t rows = rows_of_a_piece(shape, element_bytes);
  if (rows == 0 && given > 0) {
    check(H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), *context_, what);
  }
  for (std::int64_t first = 0; rows > 0 && first < shape.extents()[0]; first += rows) {
    const std::int64_t count = std::min(rows, shape.extents()[0] - first);
    const RowSelection piece(dataset.id(), shape, first, count, *context_, what);
    const auto* bytes =
        static_cast<const char*>(values) + first * (given / shape.extents()[0]) * element_bytes;
    check(H5Dwrite(dataset.id(), memory_type, piece.memory.id(), piece.file.id(), H5P_DEFAULT, bytes),
          *context_, what);
    lock.give_way();
  }
  close_written(dataset, *context_, what);  // a small one is written only now
}

template <Hdf5Element T>
void Hdf5Group::write_dataset(std::string_view path, const Shape& shape, std::span<const T> values) {
  write_memory(path, shape, file_type<T>(), memory_type<T>(), static_cast<std::int64_t>(values.size()),
               values.data());
}

template void Hdf5Group::write_dataset<float>(std::string_view, const Shape&, std::span<const float>);
template void Hdf5Group::write_dataset<double>(std::string_view, const Shape&, std::span<const double>);
template void Hdf5Group::write_dataset<std::int64_t>(std::string_view, const Shape&,
                                                     std::span<const std::int64_t>);
template void Hdf5Group::write_dataset<std::int32_t>(std::string_view, const Shape&,
                                                     std::span<const std::int32_t>);
template void Hdf5Group::write_dataset<std::uint8_t>(std::string_view, const Shape&,
                                                     std::span<const std::uint8_t>);

}  // namespace nntrain::io
