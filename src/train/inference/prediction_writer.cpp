#include "train/inference/prediction_writer.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/sha256.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "io/stream_file.h"
#include "train/inference/prediction_text.h"

namespace nntrain::train {

namespace {

std::vector<std::int64_t> extents_of(const Predictions& predictions) {
  std::vector<std::int64_t> extents = {predictions.rows};
  for (const std::int64_t extent : predictions.output_shape.extents()) extents.push_back(extent);
  return extents;
}

std::string npy_header(const Predictions& predictions) {
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': " + Shape(extents_of(predictions)).to_string() +
      ", }";
  header.resize((std::max(header.size() + 1 + 10, kNpyHeaderBytes) + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';  // data starts at a multiple of 64
  const std::size_t length = header.size();
  return std::string(kNpyMagic) + static_cast<char>(length & 255U) + static_cast<char>(length >> 8U) + header;
}

/// Ids as numbers, (rows, columns); empty when one of them is none, or there are none.
std::vector<std::int64_t> whole_ids(const Predictions& predictions) {
  const std::size_t columns = predictions.ids.size();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(predictions.rows) * columns);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& cell = predictions.ids[i % columns].cells[i / columns];
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), ids[i]);
    if (error != std::errc() || end != cell.data() + cell.size()) return {};
  }
  return ids;
}

std::vector<std::int64_t> decided_classes(const Predictions& block) {
  const std::int64_t classes = block.output_shape.last();
  std::vector<std::int64_t> decided(static_cast<std::size_t>(block.rows));
  for (std::size_t row = 0; row < decided.size(); ++row) {
    decided[row] =
        decide(block.decision, block.values.data() + static_cast<std::int64_t>(row) * classes, classes);
  }
  return decided;
}

}  // namespace

struct PredictionWriter::Sink {
  virtual ~Sink() = default;
  virtual void add(const Predictions& block) = 0;
  virtual void close() = 0;
};

/// CSV and NPY, into a file or a pipe.
struct PredictionWriter::TextSink : PredictionWriter::Sink {
  TextSink(const std::string& path, const Predictions& head)
      : csv(format_of(path) == PredictionFormat::kCsv) {
    if (io::is_stream(path)) {
      stream.emplace(path);
    } else {
      file.emplace(path);
    }
    append(csv ? csv_header(head) : npy_header(head));
  }

  void append(std::string_view bytes) { stream ? stream->append(bytes) : file->append(bytes); }

  void add(const Predictions& block) override {
    if (!csv) {
      const auto* bytes = reinterpret_cast<const char*>(block.values.data());
      return append({bytes, block.values.size() * sizeof(float)});
    }
    text.clear();
    append_csv(block, 0, block.rows, text);
    append(text);
  }

  void close() override { stream ? stream->close() : file->commit(); }

  bool csv;
  std::optional<io::StreamFile> stream;
  std::optional<io::AtomicFile> file;
  std::string text;
};

struct PredictionWriter::Hdf5Sink : PredictionWriter::Sink {
  Hdf5Sink(const std::string& path, const Predictions& head) : file(path), hdf5(create(head)) {
    io::Hdf5Group root = hdf5.root();
    root.write_attribute("written_by", kPredictionWriter);
    values.emplace(root.create_rows<float>("predictions", Shape(extents_of(head))));
    if (decides(head)) {
      classes.emplace(root.create_rows<std::int64_t>("classes", Shape{head.rows}));
      if (!head.class_names.empty()) root.write_attribute("class_names", head.class_names);
    }
    root.write_attribute("columns", output_names(head));
    if (const std::vector<std::int64_t> ids = whole_ids(head); !ids.empty()) {
      const auto columns = static_cast<std::int64_t>(head.ids.size());
      root.write_dataset("ids", columns == 1 ? Shape{head.rows} : Shape{head.rows, columns},
                         std::span<const std::int64_t>(ids));
      std::vector<std::string> names;
      for (const data::TextColumn& id : head.ids) names.push_back(id.name);
      root.write_attribute("id_columns", names);
    }
  }

  io::Hdf5File create(const Predictions& head) {
    const std::int64_t numbers = (decides(head) ? 1 : 0) + static_cast<std::int64_t>(head.ids.size());
    return io::Hdf5File::create(file, head.rows * (head.output_shape.size() * 4 + numbers * 8) + 4096);
  }

  void add(const Predictions& block) override {
    values->write<float>(rows, block.values);
    written.add(std::as_bytes(std::span(block.values)));
    if (classes) {
      const std::vector<std::int64_t> decided = decided_classes(block);
      classes->write<std::int64_t>(rows, decided);
      written_classes.add(std::as_bytes(std::span(decided)));
    }
    rows += block.rows;
  }

  void close() override {
    values->close();
    if (classes) classes->close();
    hdf5.close();
    const io::Hdf5File back = io::Hdf5File::open(file.temporary_path());
    if (hash_of<float>(back.root().dataset("predictions")) != written.hex() ||
        (classes && hash_of<std::int64_t>(back.root().dataset("classes")) != written_classes.hex())) {
      throw RuntimeError("\"" + file.path() +
                         "\" was not written: what was read back is not what was written; a disk or memory "
                         "fails");
    }
    file.commit();
  }

  template <class T>
  std::string hash_of(const io::Hdf5Dataset& dataset) const {
    constexpr std::int64_t kBlockRows = 4096;
    const Shape& shape = dataset.info().shape;
    const std::int64_t total = shape.extents()[0], width = shape.size() / std::max<std::int64_t>(1, total);
    std::vector<T> block(static_cast<std::size_t>(std::min(kBlockRows, total) * width));
    Sha256 hash;
    for (std::int64_t first = 0; first < total; first += kBlockRows) {
      const std::int64_t count = std::min(kBlockRows, total - first);
      const std::span<T> some = std::span(block).first(static_cast<std::size_t>(count * width));
      dataset.read_rows<T>(first, count, some);
      hash.add(std::as_bytes(some));
    }
    return hash.hex();
  }

  io::AtomicFile file;
  io::Hdf5File hdf5;  // after its file, before its datasets
  std::optional<io::Hdf5Rows> values, classes;
  Sha256 written, written_classes;
  std::int64_t rows = 0;
};

PredictionWriter::PredictionWriter(const std::string& path, const Predictions& head) {
  check_prediction_path(path);
  if (format_of(path) == PredictionFormat::kHdf5) {
    sink_ = std::make_unique<Hdf5Sink>(path, head);
  } else {
    sink_ = std::make_unique<TextSink>(path, head);
  }
}

PredictionWriter::~PredictionWriter() = default;

void PredictionWriter::add(const Predictions& block) { sink_->add(block); }

void PredictionWriter::close() { sink_->close(); }

}  // namespace nntrain::train
