#include "cli/convert_parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"
#include "data/tables/table_pieces.h"

namespace nntrain::cli {

namespace {

constexpr std::int64_t kMostPieceBytes = std::int64_t{16} << 20, kLeastPieceBytes = std::int64_t{1} << 18;
constexpr std::int64_t kWorthWhile = std::int64_t{4} << 20;
/// Writing a byte of text's numbers takes rank 0 about this part of the time that parsing it takes.
constexpr double kWriting = 0.25;

std::unique_ptr<data::TablePieces> open(const ConvertedTable& table) {
  try {
    return data::open_pieces(table.inputs, table.targets ? &*table.targets : nullptr);
  } catch (const Error&) {
    return nullptr;  // reading it alone says what is wrong
  }
}

/// Where the pieces of a round begin, and the last one ends. Rank 0 has less to parse, for it writes.
std::vector<std::int64_t> pieces_of_round(std::int64_t from, std::int64_t bytes, int ranks) {
  const double share = std::max(0.0, (1 - kWriting * (ranks - 1)) / (1 + kWriting));
  const std::int64_t piece = std::clamp(bytes / (8 * ranks), kLeastPieceBytes, kMostPieceBytes);
  std::vector<std::int64_t> begins = {from};
  for (int rank = 0; rank < ranks; ++rank) {
    const auto size = rank == 0 ? static_cast<std::int64_t>(share * static_cast<double>(piece)) : piece;
    begins.push_back(std::min(bytes, begins.back() + size));
  }
  return begins;
}

/// What a rank tells of its piece, before the values.
struct PieceHead {
  std::int64_t good = 0, begin = 0, end = 0;
};

std::vector<std::byte> parse(data::TablePieces& table, std::int64_t begin, std::int64_t end) {
  PieceHead head;
  data::TablePieces::Piece piece;
  try {
    if (begin < end) piece = table.read(begin, end);
    head = {1, piece.begin, piece.end};
  } catch (const Error&) {
    piece.values.clear();
  }
  const std::span<const std::byte> values = std::as_bytes(std::span(piece.values));
  std::vector<std::byte> message(sizeof head + values.size());
  std::memcpy(message.data(), &head, sizeof head);
  if (!values.empty()) std::memcpy(message.data() + sizeof head, values.data(), values.size());
  return message;
}

/// Rank 0's part: rows in their order, as long as each piece begins where the one before it ends.
class Collector {
 public:
  Collector(const data::TablePieces& table, const ConvertedTable& options, io::Hdf5Group& root)
      : inputs_(table.inputs().sample.size()),
        targets_(options.targets ? table.targets().sample.size() : 0),
        input_rows_(root, "inputs", table.inputs(), options.gzip),
        root_(root),
        target_info_(table.targets()),
        gzip_(options.gzip) {}

  bool add(const std::vector<std::byte>& message, bool is_empty) {
    PieceHead head;
    std::memcpy(&head, message.data(), sizeof head);
    if (is_empty) return true;
    if (head.good == 0 || (expected_ >= 0 && head.begin != expected_)) return false;
    expected_ = head.end;
    const std::span<const std::byte> values = std::span(message).subspan(sizeof head);
    if (targets_ == 0) {
      input_rows_.add(values);
      return true;
    }
    const std::size_t row = static_cast<std::size_t>(inputs_ + targets_) * sizeof(float);
    const std::size_t left = static_cast<std::size_t>(inputs_) * sizeof(float);
    std::vector<std::byte> inputs;
    inputs.reserve(values.size());
    for (std::size_t at = 0; at < values.size(); at += row) {
      const std::span<const std::byte> one = values.subspan(at, row);
      inputs.insert(inputs.end(), one.begin(), one.begin() + static_cast<std::ptrdiff_t>(left));
      target_values_.insert(target_values_.end(), one.begin() + static_cast<std::ptrdiff_t>(left), one.end());
    }
    input_rows_.add(inputs);
    return true;
  }

  std::string close() {
    input_rows_.close();
    const auto shape = [](const data::ArrayInfo& info, std::int64_t rows) {
      std::vector<std::int64_t> extents = {rows};
      extents.insert(extents.end(), info.sample.extents().begin(), info.sample.extents().end());
      return Shape(extents).to_string();
    };
    std::string text = fmt::format("/inputs ({}, {})", input_rows_.rows(), inputs_);
    if (targets_ == 0) return text;
    ConvertedRows rows(root_, "targets", target_info_, gzip_);
    rows.add(target_values_);
    rows.close();
    return text + ", /targets " + shape(target_info_, rows.rows());
  }

  std::int64_t rows() const { return input_rows_.rows(); }

 private:
  std::int64_t inputs_, targets_;
  ConvertedRows input_rows_;
  io::Hdf5Group& root_;
  data::ArrayInfo target_info_;
  int gzip_;
  std::vector<std::byte> target_values_;  ///< in memory until the inputs are written
  std::int64_t expected_ = -1;
};

}  // namespace

bool parses_in_parallel(comm::Session& session, const ConvertedTable& table) {
  if (session.size() == 1) return false;
  const std::unique_ptr<data::TablePieces> pieces = open(table);
  return session.minimum(pieces == nullptr ? std::int64_t{0} : pieces->bytes()) >= kWorthWhile;
}

bool convert_in_parallel(comm::Session& session, const ConvertedTable& table, io::Hdf5Group* root,
                         std::string& text, std::vector<std::string>& notes) {
  const std::unique_ptr<data::TablePieces> pieces = open(table);
  const std::int64_t bytes = pieces == nullptr ? 0 : pieces->bytes();
  if (session.minimum(bytes) != session.maximum(bytes) || bytes == 0) return false;
  std::unique_ptr<Collector> collector;
  if (session.is_root()) collector = std::make_unique<Collector>(*pieces, table, *root);
  std::int64_t bad = 0;
  for (std::int64_t from = 0; from < bytes && bad == 0;) {
    const std::vector<std::int64_t> begins = pieces_of_round(from, bytes, session.size());
    const auto mine = static_cast<std::size_t>(session.rank());
    const std::vector<std::byte> message = parse(*pieces, begins[mine], begins[mine + 1]);
    const std::vector<std::vector<std::byte>> all = session.gather(message);
    comm::collectively(session, "write the rows", [&] {
      for (std::size_t rank = 0; rank < all.size() && bad == 0; ++rank)
        bad = collector->add(all[rank], begins[rank] == begins[rank + 1]) ? 0 : 1;
    });
    bad = session.maximum(bad);
    from = begins.back();
  }
  if (bad != 0) return false;
  comm::collectively(session, "write the rows", [&] {
    if (!session.is_root()) return;
    text = collector->close();
    notes = pieces->notes(collector->rows());
  });
  return true;
}

}  // namespace nntrain::cli
