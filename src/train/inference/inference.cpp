#include "train/inference/inference.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "train/data/target_rules.h"
#include "train/data/value_check.h"
#include "train/step/gather_sum.h"

namespace nntrain::train {

namespace {

// Sums of an evaluation have shards of their own, so many that they feed every rank: results depend on these
// two numbers, never on the ranks.
constexpr int kShards = 256;
constexpr std::int64_t kBatchRows = 16 * kShards;
constexpr std::int64_t kPredictedRows = 64;  ///< of a rank and batch, at least

}  // namespace

Inference::Inference(comm::Session& session, Log& log, checkpoint::Contents contents,
                     const Configuration& configuration, Task task, const data::MemoryArrays* memory)
    : session_(session), log_(log), contents_(std::move(contents)) {
  ModelSource source;
  CompileSettings compile;
  comm::collectively(session_, "configuration", [&] {
    settings_ = read_settings(configuration);
    data_settings_ = choose_data(configuration, task);
    data_settings_.memory = memory;
    columns_as_trained_ =
        data_settings_.training.is_object() && configuration.origin("data.columns") != "command line";
    source = model_source_of(contents_);
    data_settings_.text = text_demand(source);
    compile = compile_settings(configuration, task);
  });
  if (task == Task::kPredictStream) {
    comm::collectively(session_, "model", [&] { build(source, Shape{}, task, compile); });
    data_.scale = static_cast<float>(data_settings_.scale);
    data_.class_names = data_settings_.class_names;
  } else {
    load(task, source, compile);
  }
  if (contents_.data.is_object())
    data_.target_scale = TargetScale::from(contents_.data.value("target_scale", Json()));
  if (task == Task::kEvaluate && data_.target_scale.active())
    notes_.push_back(
        "the loss is that of standardised targets, as in training; all else is in their own units");
  notes_.insert(notes_.end(), data_.notes.begin(), data_.notes.end());
  if (data_.class_names.empty() && contents_.data.is_object())
    data_.class_names = contents_.data.value("class_names", std::vector<std::string>{});
  if (const std::string& positive = data_settings_.positive_class; !positive.empty())
    data_.class_names = {"not " + positive, positive};
  make_engine(source, task);
}

void Inference::load(Task task, const ModelSource& source, CompileSettings& compile) {
  fit_settings_.shuffle = false;
  DataLoader loader(session_, data_settings_, fit_settings_);
  loader.load_inputs();
  comm::collectively(session_, "model", [&] {
    const DataSets& sets = loader.sets();
    build(source, sets.input_shape, task, compile);
    if (session_.local_rank() == 0)
      check_values(*model_, sets.train, sets.scale, sets.columns, "data.inputs = " + data_settings_.inputs);
  });
  check_streamed_values(session_, *model_, loader.sets(), loader.sets().train,
                        "data.inputs = " + data_settings_.inputs);
  if (task == Task::kEvaluate) {
    choose_weights(loader.sets());  // in the settings, which the loader refers to
    loader.load_targets({compiled_.loss.get(), model_->output_shape(), compile.loss_origin,
                         metric_of_signs(compile, model_->output_shape())});
  }
  data_ = loader.take();
  if (task == Task::kEvaluate) {
    comm::collectively(session_, "compile", [&] {
      make_metrics(compile, data_.target_shape, model_->output_shape(), compiled_);
      fuse_head(*model_, *compiled_.loss);
    });
  }
}

/// What the configuration says, completed by the file. Predictions need no loss: one that is not known is a
/// note.
CompileSettings Inference::compile_settings(const Configuration& configuration, Task task) const {
  CompileSettings compile = settings_.compile;
  try {
    take_compile(compile, configuration, contents_.training_config, contents_.origin);
  } catch (const InputError& error) {
    if (task == Task::kEvaluate) throw;
    if (session_.is_root()) log_.note(std::string(error.what()) + "; predictions need no loss");
  }
  return compile;
}

void Inference::build(const ModelSource& source, const Shape& sample, Task task, CompileSettings& compile) {
  model_ = build_model(source, sample);
  if (task != Task::kPredictStream) {
    const std::string note = check_sample_shape(sample, model_->input_shape(), data_settings_.inputs);
    if (!note.empty()) notes_.push_back(note);
  }
  choose_loss(compile, model_->output_shape());
  if (!compile.loss.is_null()) compiled_.loss = make_loss(compile);
  if (task == Task::kEvaluate && !compiled_.loss)
    throw InputError("the file holds no loss (it was not compiled); give --compile.loss=...");
}

DataSettings Inference::choose_data(const Configuration& configuration, Task task) const {
  DataSettings data = settings_.data;
  // With a positive class the file's names are the two that it makes, not the labels of the targets.
  if (contents_.data.is_object() && data.class_names.empty() && data.positive_class.empty())
    data.class_names = contents_.data.value("class_names", std::vector<std::string>{});
  const bool given = configuration.origin("data.inputs") == "command line";
  if (!given) {
    if (data.test_inputs.empty()) {
      throw InputError(std::string("no data to ") + (task == Task::kEvaluate ? "evaluate" : "predict") +
                       ": give --data.inputs=SOURCE" +
                       (task == Task::kEvaluate ? " and --data.targets=SOURCE" : "") +
                       " (the checkpoint names no data.test_inputs)");
    }
    data.inputs = data.test_inputs;
    data.targets = data.test_targets;
  } else if (configuration.origin("data.targets") != "command line") {
    data.targets.clear();
  }
  data.split = {};
  if (configuration.origin("data.memory") != "command line") data.where = DataMemory::kAuto;
  data.keep_ids = task != Task::kEvaluate;
  data.standardize_targets = false;  // by the training's rows, not by these
  data.training = contents_.data.is_object() ? contents_.data.value("table", Json::object()) : Json::object();
  if (contents_.data.is_object()) {  // columns are matched by name, unless the command line chooses others
    if (configuration.origin("data.missing") == "command line" && data.training.contains("inputs")) {
      throw InputError(
          "data.missing: gaps are filled as they were in the training, whatever it says here; leave it out "
          "(gaps "
          "in columns that had none in the training: train with data.missing)");
    }
    if (configuration.origin("data.input_columns") != "command line") data.input_columns.clear();
    if (configuration.origin("data.target_columns") != "command line") data.target_columns.clear();
  }
  // The slices, weights and validation parts belong to the training files.
  if (configuration.origin("data.rows") != "command line") data.rows.clear();
  data.validation_inputs.clear();
  data.validation_targets.clear();
  data.validation_rows.clear();
  if (configuration.origin("data.sample_weight") != "command line") data.sample_weight.clear();
  return data;
}

void Inference::make_engine(const ModelSource& source, Task task) {
  // Predictions are not summed, and no row's depends on the others in a call: each rank has an equal part.
  const bool predicts = task != Task::kEvaluate;
  const int shards = predicts ? session_.size() : kShards;
  batch_rows_ = predicts ? std::max(kBatchRows, kPredictedRows * session_.size()) : kBatchRows;
  local_ = shards_of_rank(session_.rank(), session_.size(), shards);
  sums_ = std::make_unique<GatherSum>(session_, shards);
  values_ = comm::SharedArray::allocate(session_, std::max<std::int64_t>(64, model_->total_floats() * 4));
  const std::span<float> values = values_.as<float>();
  model_->bind(values);
  std::vector<float> whole(static_cast<std::size_t>(model_->total_floats()));
  comm::collectively(session_, "take the weights of the file", [&] {
    if (!session_.is_root()) return;
    assign_weights(*model_, source.weights, "\"" + contents_.origin + "\"");
    std::copy_n(values.begin(), whole.size(), whole.begin());
  });
  session_.broadcast(std::as_writable_bytes(std::span(whole)));
  if (session_.local_rank() == 0) std::copy(whole.begin(), whole.end(), values.begin());
  session_.barrier();
  ReplicaOptions options;
  options.evaluation = {local_, shards, sums_.get()};
  options.evaluation_rows =
      task == Task::kPredictStream ? batch_rows_ : std::min(batch_rows_, data_.train.rows());
  options.largest_mode = nn::Mode::kInference;
  options.target_scale = &data_.target_scale;
  const bool with_loss = data_.train.has_targets();
  replica_ = std::make_unique<Replica>(*model_, with_loss ? compiled_.loss.get() : nullptr, data_.scale,
                                       options, times_);
}

OutputReading Inference::output_reading() const {
  OutputReading reading = reading_of(*compiled_.loss, *model_);
  reading.decision = decision_of(compiled_.loss.get(), model_->output_shape());
  reading.class_names = data_.class_names;
  for (const LoadedArray& array : data_.arrays) {
    if (array.memory.bytes().data() == data_.train.targets.memory) reading.column_names = array.info.columns;
  }
  reading.first_row = data_.train.inputs.first;
  return reading;
}

Evaluation Inference::evaluate() {
  Scoreboard board(compiled_.metrics, local_.count());
  const auto start = std::chrono::steady_clock::now();
  Evaluation evaluation;
  evaluation.rows = data_.train.rows();
  EvaluationRows outcomes(output_reading());
  const data::Sampler in_order(evaluation.rows, 0, 0, data::Order::kFile);
  begin_pass(session_, data_, data_.train, in_order, kPassInOrder, 0);
  const std::int64_t step =
      depends_on_batch(*compiled_.loss) ? std::min(batch_rows_, settings_.fit.batch_size) : batch_rows_;
  for (std::int64_t position = 0; position < evaluation.rows; position += step) {
    replica_->evaluate({&data_.train, &in_order, position, std::min(step, evaluation.rows - position), 0},
                       board);
    outcomes.add(session_, replica_->outputs(), replica_->targets());
  }
  check_pass(session_, data_.train);
  std::vector<double> totals(static_cast<std::size_t>(board.width()));
  sums_->sum(board.sums(), totals);
  evaluation.logs = board.results(totals, "");
  evaluation.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (session_.is_root()) evaluation.report = outcomes.report();
  evaluation.report.rows = evaluation.rows;
  evaluation.report.logs = evaluation.logs;
  return evaluation;
}

Predictions Inference::empty_predictions(std::int64_t rows) const {
  Predictions predictions;
  predictions.rows = rows;
  predictions.output_shape = model_->output_shape();
  predictions.decision = decision_of(compiled_.loss.get(), model_->output_shape());
  predictions.class_names = data_.class_names;
  predictions.target_names = target_names(data_settings_.training);
  return predictions;
}

Predictions Inference::prediction_head() const {
  Predictions head = empty_predictions(data_.train.rows());
  const auto first = static_cast<std::ptrdiff_t>(data_.train.inputs.first);
  for (const data::TextColumn& id : data_.ids) {
    const auto begin = id.cells.begin() + first;
    head.ids.push_back({id.name, {begin, begin + static_cast<std::ptrdiff_t>(head.rows)}});
  }
  return head;
}

Predictions Inference::predict() {
  Predictions predictions = prediction_head();
  if (session_.is_root())
    predictions.values.reserve(static_cast<std::size_t>(predictions.rows * predictions.output_shape.size()));
  predictions.seconds = predict([&](const Predictions& block) {
    predictions.values.insert(predictions.values.end(), block.values.begin(), block.values.end());
  });
  return predictions;
}

Predictions Inference::prediction_block(std::int64_t first_row, std::span<const float> values) const {
  Predictions block = empty_predictions(std::min(batch_rows_, data_.train.rows() - first_row));
  if (!values.empty()) block.rows = static_cast<std::int64_t>(values.size()) / block.output_shape.size();
  block.values.assign(values.begin(), values.end());
  const auto first = static_cast<std::ptrdiff_t>(data_.train.inputs.first + first_row);
  for (const data::TextColumn& id : data_.ids) {
    const auto begin = id.cells.begin() + first;
    block.ids.push_back({id.name, {begin, begin + static_cast<std::ptrdiff_t>(block.rows)}});
  }
  return block;
}

double Inference::predict(const PredictionSink& sink, std::int64_t first_row) {
  using Clock = std::chrono::steady_clock;
  std::int64_t row = first_row;
  Clock::time_point start = Clock::now();
  double seconds = 0;
  predict(data_.train, first_row, [&](std::span<const float> values) {
    const Predictions block = prediction_block(row, values);
    row += block.rows;
    seconds += std::chrono::duration<double>(Clock::now() - start).count();
    sink(block);
    start = Clock::now();
  });
  return seconds;
}

Predictions Inference::predict_rows(std::span<const float> rows) {
  const std::int64_t width = model_->input_shape().size();
  const std::int64_t count = session_.maximum(static_cast<std::int64_t>(rows.size()) / width);
  std::vector<float> all(rows.begin(), rows.end());
  all.resize(static_cast<std::size_t>(count * width));
  if (count > 0) session_.broadcast(std::as_writable_bytes(std::span(all)));
  comm::collectively(session_, "check the rows", [&] {
    std::vector<float> seen = all;
    for (float& value : seen) value *= data_.scale;
    check_values(*model_, seen, rows_given_, Json(), "data.inputs");
  });
  rows_given_ += count;
  Samples samples;
  samples.inputs = {reinterpret_cast<const std::byte*>(all.data()), data::Element::kFloat32, width, 0, count};
  Predictions predictions = empty_predictions(count);
  predict(samples, 0, [&](std::span<const float> values) {
    predictions.values.insert(predictions.values.end(), values.begin(), values.end());
  });
  return predictions;
}

/// As the training's table, by name where it has names; else that many numbers a row.
data::SourceOptions Inference::stream_options() const {
  data::SourceOptions options;
  options.key = "data.inputs";
  options.columns = data_settings_.input_columns;
  options.table = data_settings_.table;
  options.keep_ids = true;
  options.text = data_settings_.text;
  const Json& known = data_settings_.training;
  if (known.is_object() && known.contains("inputs") && known["inputs"].contains("columns"))
    options.training = known["inputs"];
  if (options.training.is_object()) return options;
  const std::int64_t width = model_->input_shape().size();
  options.columns.clear();
  options.training = {{"named", false}, {"width", width}, {"columns", Json::array()}};
  for (std::int64_t i = 0; i < width; ++i)
    options.training["columns"].push_back(
        {{"name", ""}, {"index", i}, {"kind", options.text ? "text" : "auto"}});
  return options;
}

/// `take` gets the outputs of each batch, on rank 0; nothing elsewhere.
void Inference::predict(const Samples& samples, std::int64_t first_row,
                        const std::function<void(std::span<const float>)>& take) {
  const std::int64_t rows = samples.rows();
  if (first_row >= rows) return;
  const data::Sampler in_order(rows, 0, 0, data::Order::kFile);
  std::vector<float> outputs;
  begin_pass(session_, data_, samples, in_order, kPassInOrder, first_row);
  for (std::int64_t position = first_row; position < rows; position += batch_rows_) {
    const std::span<const float> mine =
        replica_->predict({&samples, &in_order, position, std::min(batch_rows_, rows - position), 0});
    check_pass(session_, samples);
    outputs.clear();
    for (const std::vector<std::byte>& part :
         session_.gather(std::as_bytes(mine))) {  // rank order is row order
      const std::size_t old = outputs.size();
      outputs.resize(old + part.size() / sizeof(float));
      std::memcpy(outputs.data() + old, part.data(), part.size());
    }
    take(outputs);
  }
}

Decision decision_of(const nn::Loss* loss, const Shape& output) {
  if (loss == nullptr) return output.last() > 1 ? Decision::kArgMax : Decision::kNone;
  const nn::OutputMeaning meaning = loss->output_meaning();
  const bool binary =
      meaning != nn::OutputMeaning::kValues && loss->target_meaning() == nn::TargetMeaning::kLabels;
  if (output.last() > 1) {  // several binary outputs are labels, not classes
    return binary || loss->target_form(output) == nn::TargetForm::kValues ? Decision::kNone
                                                                          : Decision::kArgMax;
  }
  if (meaning == nn::OutputMeaning::kSigns) return Decision::kSign;
  if (!binary) return Decision::kNone;
  return meaning == nn::OutputMeaning::kLogits ? Decision::kSign : Decision::kProbability;
}

std::int64_t decide(Decision decision, const float* outputs, std::int64_t classes) {
  switch (decision) {
    case Decision::kArgMax:
      return std::max_element(outputs, outputs + classes) - outputs;
    case Decision::kProbability:
      return outputs[0] > 0.5F ? 1 : 0;
    case Decision::kSign:
      return outputs[0] > 0.0F ? 1 : 0;
    case Decision::kNone:
      break;
  }
  return -1;
}

}  // namespace nntrain::train
