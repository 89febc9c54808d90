#include "train/data/loaded_array.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace nntrain::train {

namespace {

Json to_json(const data::ArrayInfo& info) {
  return {{"uint8", info.element == data::Element::kUint8},
          {"rows", info.rows},
          {"sample", info.sample.extents()},
          {"class_names", info.class_names},
          {"columns", info.columns},
          {"table", info.table},
          {"vocabulary", info.vocabulary},
          {"chunk_rows", info.chunk_rows},
          {"files", info.files},
          {"notes", info.notes}};
}

data::ArrayInfo info_from(const Json& json) {
  data::ArrayInfo info;
  info.element = json["uint8"].get<bool>() ? data::Element::kUint8 : data::Element::kFloat32;
  info.rows = json["rows"].get<std::int64_t>();
  info.sample = Shape(json["sample"].get<std::vector<std::int64_t>>());
  info.class_names = json["class_names"].get<std::vector<std::string>>();
  info.columns = json["columns"].get<std::vector<std::string>>();
  info.table = json["table"];
  info.vocabulary = json["vocabulary"].get<std::vector<std::string>>();
  info.chunk_rows = json["chunk_rows"].get<std::int64_t>();
  info.files = json["files"].get<std::vector<std::int64_t>>();
  info.notes = json["notes"].get<std::vector<std::string>>();
  return info;
}

std::string node_broadcast_text(comm::Session& session, const std::string& mine) {
  std::int64_t length = static_cast<std::int64_t>(mine.size());
  session.node_broadcast(std::as_writable_bytes(std::span(&length, 1)));
  std::string text = session.local_rank() == 0 ? mine : std::string(static_cast<std::size_t>(length), ' ');
  session.node_broadcast(std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

}  // namespace

LoadedArray open_array(comm::Session& session, const std::string& key, const std::string& source,
                       const std::function<data::ArrayInfo()>& open) {
  LoadedArray array;
  std::string header;
  comm::collectively(session, "open " + key, [&] {
    if (session.local_rank() == 0) header = json_text(to_json(open()));
  });
  array.info = info_from(Json::parse(node_broadcast_text(session, header)));
  array.source = source;
  return array;
}

void read_array(comm::Session& session, const std::string& key, LoadedArray& array,
                const std::function<void(std::span<std::byte>)>& read) {
  array.memory = comm::SharedArray::allocate(session, std::max<std::int64_t>(array.info.bytes(), 64));
  comm::collectively(session, "read " + key, [&] {
    if (session.local_rank() == 0)
      read(array.memory.bytes().first(static_cast<std::size_t>(array.info.bytes())));
  });
}

void require_same_file(comm::Session& session, const std::string& key, const std::string& source,
                       std::string& fingerprint) {
  fingerprint = node_broadcast_text(session, fingerprint);
  const std::string of_root = session.broadcast_text(fingerprint);
  comm::collectively(session, "compare " + key, [&] {
    if (fingerprint != of_root) {
      throw InputError(key + ": \"" + source + "\" on this node differs from the first node's (SHA-256 " +
                       fingerprint.substr(0, 16) + " against " + of_root.substr(0, 16) +
                       "); copy the same file to every node");
    }
  });
}

LoadedArray share_array(comm::Session& session, const std::string& key, const std::string& source,
                        const std::function<data::ArrayInfo()>& open,
                        const std::function<void(std::span<std::byte>)>& read) {
  LoadedArray array = open_array(session, key, source, open);
  read_array(session, key, array, [&](std::span<std::byte> memory) {
    read(memory);
    array.fingerprint = data::fingerprint(array.info, memory);
  });
  require_same_file(session, key, source, array.fingerprint);
  return array;
}

data::ArrayView view_of(const LoadedArray& array, data::RowRange rows) {
  const std::byte* memory = array.memory.bytes().data();
  return {memory, array.info.element, array.info.sample.size(), rows.begin, rows.count()};
}

}  // namespace nntrain::train
