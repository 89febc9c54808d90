#include "train/report/header.h"

#include <fmt/format.h>

#include "comm/session/placement.h"
#include "core/products/gemm.h"

namespace nntrain::train {

namespace {

std::string format_bytes(double bytes) {
  const char* units[] = {"B", "KB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", bytes, units[unit]);
}

void print_machine(const Run& run) {
  comm::Session& session = run.session;
  const int shards = run.past.state.shards;
  run.log.info(fmt::format("nntrain-dist {}, {}, {}", run.version, comm::Session::library_version(),
                           gemm::description()));
  run.log.info(fmt::format("{} rank{} on {} node{}, {} shard{}: the same bits for every number of ranks",
                           session.size(), session.size() == 1 ? "" : "s", session.nodes(),
                           session.nodes() == 1 ? "" : "s", shards, shards == 1 ? "" : "s"));
  const std::vector<comm::RankPlace> places = comm::rank_places(session);
  for (const std::string& line : comm::placement_lines(places)) run.log.info(line);
  run.log.info(run.products.line);
  if (const std::string note = run.engine->exchange().note(); !note.empty()) run.log.note(note);
  if (const std::string note = gemm::kernel_note(); !note.empty()) run.log.note(note);
  for (const std::string& note : comm::placement_notes(places)) run.log.note(note);
}

void print_data(const Run& run) {
  for (const auto& [name, entry] : run.data.fingerprints.items()) {
    std::string shape;
    if (entry.contains("rows") && entry.contains("sample")) {
      const Shape sample(entry["sample"].get<std::vector<std::int64_t>>());
      shape = " " + sample.with_batch(entry["rows"].get<std::int64_t>());
    }
    const bool whole = entry.contains("sha256");
    run.log.info(fmt::format("data.{}: {}{}, SHA-256 {}{}", name, entry.value("source", ""), shape,
                             whole ? "" : "of some rows ",
                             entry.value(whole ? "sha256" : "sampled", "").substr(0, 16)));
  }
  for (const std::string& line : run.data.report) run.log.info(line);
  run.log.info(fmt::format("train on {} samples, validate on {}, {} in memory once a node",
                           run.data.train.rows(), run.data.validation ? run.data.validation->rows() : 0,
                           format_bytes(static_cast<double>(run.data.bytes))));
}

/// What fit.learning_rate_scaling makes of the learning rate (Goyal et al. 2017).
void print_scaling(const Run& run) {
  const FitSettings& fit = run.settings.fit;
  if (fit.learning_rate_scaling == "none") return;
  std::string text = fmt::format(
      "Learning rate x {:.4g} ({} scaling: batch_size {} / reference_batch_size {})",
      run.learning_rate_factor(), fit.learning_rate_scaling, fit.batch_size, fit.reference_batch_size);
  if (fit.warmup_epochs > 0) text += fmt::format(", rising from x 1 over {:g} epochs", fit.warmup_epochs);
  run.log.info(text);
}

void print_settings(const Run& run) {
  for (const Key& key : keys()) {
    for (const Value& value : run.configuration.list(key.name))
      run.log.info(fmt::format("  {} = {}  ({})", key.name, value.text, value.origin));
  }
  print_scaling(run);
  if (!run.settings.data.sample_weight.empty() && !run.settings.fit.class_weight.empty())
    run.log.note("data.sample_weight supersedes fit.class_weight, which is not used");
}

/// Keras takes such pairs of last layer and loss without a word, and they learn little.
std::string head_note(const nn::Layer& last, const nn::Loss& loss, std::int64_t classes) {
  const nn::OutputMeaning meaning = loss.output_meaning();
  const Json& spec = last.spec();
  const Json activation = spec["config"].value("activation", Json());
  const bool linear = activation.is_null() || activation == "linear";
  const nn::Head head = last.output_head();
  const std::string name = loss.spec().is_object() ? loss.spec().value("class_name", "the loss") : "the loss";
  const char* function = classes == 1 ? "sigmoid" : "softmax";
  if (meaning == nn::OutputMeaning::kProbabilities && spec["class_name"] == "Dense" && linear) {
    return fmt::format(
        "layer \"{}\" gives any numbers, {} takes probabilities: give the layer "
        "activation=\"{}\", or the loss from_logits=True where it has that",
        last.name(), name, function);
  }
  if (meaning == nn::OutputMeaning::kLogits && head != nn::Head::kNone) {
    return fmt::format(
        "layer \"{}\" gives probabilities, {}(from_logits=True) takes what comes before its {}: "
        "leave out one of both",
        last.name(), name, head == nn::Head::kSoftmax ? "softmax" : "sigmoid");
  }
  return "";
}

}  // namespace

void print_header(const Run& run) {
  print_machine(run);
  print_data(run);
  print_settings(run);
  run.log.info(summary_table(*run.model));
  for (const std::string& note : model_notes(*run.model)) run.log.note(note);
  const std::string advice =
      head_note(*run.model->layers().back(), *run.compiled.loss, run.model->output_shape().last());
  if (!advice.empty()) run.log.note(advice);
  const std::string& path = run.settings.checkpoint.path;
  if (run.past.resumed) {
    run.log.info(
        fmt::format("Going on from {}: epoch {}, step {}", path, run.past.state.epoch, run.past.state.step));
  } else {
    run.log.info(fmt::format("No checkpoint at {}: a fresh run", path));
  }
  for (const std::string& note : run.notes) run.log.note(note);
}

}  // namespace nntrain::train
