#include "cli/predict_stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <optional>

#include "cli/log.h"
#include "data/tables/table_stream.h"
#include "io/atomic_file.h"
#include "io/stream_file.h"
#include "train/inference/inference.h"
#include "train/inference/prediction_text.h"

namespace nntrain::cli {

namespace {

/// What is there, waiting only when there is nothing; empty at the end.
std::string read_piece() {
  std::string piece(std::size_t{1} << 20, '\0');
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw InputError("data.inputs = -: standard input cannot be read");
    piece.resize(static_cast<std::size_t>(got));
    return piece;
  }
}

/// A stream gets every block at once, a file appears whole.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (io::is_stream(path)) {
      stream_.emplace(path);
    } else {
      file_.emplace(path);
    }
  }
  void append(std::string_view text) {
    if (file_) return file_->append(text);
    stream_->append(text);
    stream_->flush();
  }
  void close() {
    if (file_) return file_->commit();
    stream_->close();
  }

 private:
  std::optional<io::StreamFile> stream_;
  std::optional<io::AtomicFile> file_;
};

}  // namespace

ExitCode predict_stream(comm::Session& session, checkpoint::Contents contents,
                        const train::Configuration& configuration, const std::string& output) {
  comm::collectively(session, "predict", [&] {
    if (configuration.origin("data.rows") == "command line")
      throw InputError("data.rows = " + configuration.text("data.rows") +
                       " chooses rows of a file; of standard input (data.inputs = -) all are predicted");
    if (output.ends_with(".csv") || (io::is_stream(output) && !output.ends_with(".npy"))) return;
    throw InputError("--output=" + output +
                     ": how many rows come from standard input is not known, so predictions go to a .csv or "
                     "a pipe (- is standard output)");
  });
  train::Inference inference(session, log::standard(), std::move(contents), configuration,
                             train::Inference::Task::kPredictStream);
  for (const std::string& note : inference.notes()) log::note(note);
  session.end_stalls_after(std::numeric_limits<double>::infinity(),
                           "UNLIMITED");  // rows may be long in coming
  data::TableStream rows(inference.stream_options(), "data.inputs (standard input)");
  std::optional<Output> out;
  std::int64_t total = 0;
  for (bool last = false; !last;) {
    data::TableStream::Block block;
    std::int64_t ends = 0;
    comm::collectively(session, "read standard input", [&] {
      if (!session.is_root()) return;
      const std::string piece = read_piece();
      ends = piece.empty() ? 1 : 0;
      block = rows.add(piece, piece.empty());
    });
    last = session.maximum(ends) == 1;
    for (const std::string& note : block.notes) log::note(note);
    train::Predictions predictions = inference.predict_rows(block.values);
    predictions.ids = std::move(block.ids);
    total += predictions.rows;
    comm::collectively(session, "write " + output, [&] {
      if (!session.is_root()) return;
      if (last && total == 0) throw InputError("data.inputs = -: standard input holds no rows");
      std::string text;
      if (!out && predictions.rows > 0) {
        out.emplace(output);
        text = train::csv_header(predictions);
      }
      train::append_csv(predictions, 0, predictions.rows, text);
      if (!text.empty()) out->append(text);
      if (last) out->close();
    });
  }
  log::info(fmt::format("{} predictions written to {}", total, output));
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
