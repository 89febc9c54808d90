// What predictions are made of, in 64 characters.

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <vector>

#include "core/json.h"
#include "core/sha256.h"
#include "train/inference/inference.h"

namespace nntrain::train {

namespace {

std::string file_digest(const std::string& path) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  Sha256 hash;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(kPiece);
  while (file.read(piece.data(), static_cast<std::streamsize>(kPiece)), file.gcount() > 0)
    hash.add(std::as_bytes(std::span(piece).first(static_cast<std::size_t>(file.gcount()))));
  return hash.hex();
}

/// A file that was written to since has other predictions.
Json file_states(const std::string& source) {
  Json states = Json::array();
  for (const std::string& path : data::files_of(source)) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    states.push_back({path, static_cast<std::int64_t>(status.st_size),
                      static_cast<std::int64_t>(status.st_mtim.tv_sec),
                      static_cast<std::int64_t>(status.st_mtim.tv_nsec)});
  }
  return states;
}

}  // namespace

std::string Inference::prediction_identity(const std::string& model_file, const std::string& program) const {
  const data::TableOptions& table = data_settings_.table;
  Json prints = data_.fingerprints;  // a file that is read from disk has no digest of all rows
  for (auto& print : prints) print.erase("sha256");
  const Json parts = {
      program,
      file_digest(model_file),
      file_states(data_settings_.inputs),
      prints,
      data_.table,
      data_.class_names,
      data_settings_.input_columns,
      {table.header, table.delimiter, table.quote, table.decimal, table.thousands, table.comment,
       table.encoding, table.columns, table.missing},
      {data_.scale, data_.train.inputs.first, data_.train.rows()},
      model_->output_shape().extents(),
  };
  Sha256 hash;
  hash.add_text(json_text(parts));
  return hash.hex();
}

}  // namespace nntrain::train
