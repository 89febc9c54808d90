// check: what a run would do here. Opens everything as train does, and changes nothing.

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/commands.h"
#include "cli/configuration_file.h"
#include "cli/log.h"
#include "cli/memory_need.h"
#include "cli/signals.h"
#include "cli/trial.h"
#include "cli/version.h"
#include "comm/session/interfaces.h"
#include "comm/session/placement.h"
#include "train/report/progress.h"
#include "train/run/snapshot.h"

namespace nntrain::cli {

namespace {

namespace fs = std::filesystem;

/// The CPUs that this process may run on: "0-3,8".
std::string allowed_cpus(int& count) {
  std::ifstream status("/proc/self/status");
  std::string list;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Cpus_allowed_list:")) list = line.substr(line.find_first_not_of(" \t", 18));
  cpu_set_t mask;
  CPU_ZERO(&mask);
  count = sched_getaffinity(0, sizeof(mask), &mask) == 0 ? CPU_COUNT(&mask) : 1;
  return list;
}

std::int64_t available_memory_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (std::int64_t kilobytes = 0; file >> name >> kilobytes; std::getline(file, unit))
    if (name == "MemAvailable:") return kilobytes * 1024;
  return 0;
}

std::int64_t free_bytes(const fs::path& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) return 0;
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

Json describe_interfaces() {
  Json all = Json::array();
  for (const comm::Interface& interface : comm::my_interfaces())
    all.push_back({{"name", interface.name}, {"address", interface.address}, {"network", interface.network}});
  return all;
}

Json describe_me(const comm::Session& session) {
  int cpus = 1;
  const std::string list = allowed_cpus(cpus);
  return {{"rank", session.rank()},
          {"host", session.host()},
          {"node", session.node()},
          {"cpus", list},
          {"cpu_count", cpus},
          {"available_cores", session.available_cores()},
          {"memory_available_bytes", available_memory_bytes()},
          {"shared_memory_free_bytes", free_bytes("/dev/shm")},
          {"interfaces", describe_interfaces()},
          {"version", version_text()}};
}

/// Everybody's description, in rank order, on every rank.
std::vector<Json> describe_all(comm::Session& session) {
  const std::string mine = describe_me(session).dump();
  std::vector<Json> all;
  for (const auto& bytes : session.all_gather(std::as_bytes(std::span(mine)))) {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    all.push_back(Json::parse(text, text + bytes.size()));
  }
  return all;
}

Json hosts_of(const std::vector<Json>& ranks) {
  Json hosts = Json::array();
  std::map<int, std::size_t> place;
  for (const Json& rank : ranks) {
    const int node = rank["node"];
    if (!place.contains(node)) {
      place[node] = hosts.size();
      hosts.push_back({{"host", rank["host"]},
                       {"ranks", 0},
                       {"cores", rank["available_cores"]},
                       {"memory_available_bytes", rank["memory_available_bytes"]},
                       {"shared_memory_free_bytes", rank["shared_memory_free_bytes"]},
                       {"interfaces", rank["interfaces"]},
                       {"binding", Json::array()}});
    }
    Json& host = hosts[place[node]];
    host["ranks"] = host["ranks"].get<int>() + 1;
    host["binding"].push_back(rank["cpus"]);
  }
  return hosts;
}

void check_versions(const std::vector<Json>& ranks) {
  for (const Json& rank : ranks) {
    if (rank["version"] == ranks.front()["version"]) continue;
    throw InputError(fmt::format(
        "rank {} on {} runs another program or other libraries than rank 0 on {}:\n{}\n--\n{}",
        rank["rank"].get<int>(), rank["host"].get<std::string>(), ranks.front()["host"].get<std::string>(),
        rank["version"].get<std::string>(), ranks.front()["version"].get<std::string>()));
  }
}

/// Seconds to write `bytes` into `folder` with fsync, from a piece of it; < 0 where that cannot be tried
/// without leaving a name behind.
double seconds_to_write(const fs::path& folder, std::int64_t bytes) {
  const int file = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return -1;
  const std::vector<char> block(1 << 20, 'n');
  const std::int64_t most = std::clamp<std::int64_t>(bytes, 1, 64 << 20);
  std::int64_t written = 0;
  bool fine = true;
  const auto start = std::chrono::steady_clock::now();
  while (fine && written < most) {
    const auto size = static_cast<std::size_t>(std::min<std::int64_t>(most - written, 1 << 20));
    fine = write(file, block.data(), size) == static_cast<ssize_t>(size);
    written += static_cast<std::int64_t>(size);
  }
  fine = fine && fsync(file) == 0;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  close(file);
  return fine ? seconds * static_cast<double>(bytes) / static_cast<double>(written) : -1;
}

/// The folder that exists already, in which the checkpoint or its missing folders will lie.
fs::path existing_folder(const std::string& path) {
  fs::path folder = fs::absolute(path).parent_path();
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

/// On rank 0; throws where train would, because of the file that is there.
Json check_checkpoint(const train::Run& run, const checkpoint::Contents* previous, const std::string& path) {
  const fs::path folder = existing_folder(path);
  if (access(folder.c_str(), W_OK) != 0)
    throw InputError("checkpoint.path = \"" + path + "\": the folder " + folder.string() +
                     " cannot be written to");
  const double floats = static_cast<double>(run.model->total_floats()) +
                        static_cast<double>(run.model->trainable_floats()) *
                            static_cast<double>(run.optimizer->slot_names().size());
  const auto bytes = static_cast<std::int64_t>(4 * floats);
  Json json = {{"path", path},
               {"bytes", bytes},
               {"disk_free_bytes", free_bytes(folder)},
               {"estimated_seconds", nullptr},
               {"state", previous == nullptr ? "a fresh run" : ""}};
  if (const double seconds = seconds_to_write(folder, bytes); seconds >= 0)
    json["estimated_seconds"] = seconds;
  if (previous != nullptr) {
    train::check_compatible(run, *previous);
    const checkpoint::RunState& state = previous->state;
    const std::int64_t asked_then = previous->environment.value("epochs", std::int64_t{0});
    const bool more =
        run.settings.fit.epochs > std::max(state.epoch, asked_then);  // a new fit, as train says
    const bool finished = state.epoch >= run.settings.fit.epochs || (state.finished && !more);
    json["state"] = fmt::format("{} epoch {}, step {}", finished ? "finished at" : "goes on from",
                                state.epoch, state.step);
  }
  return json;
}

/// What Open MPI may take for a way from host to host. Nobody is asked who has named the network already.
std::vector<std::string> network_notes(const Json& hosts) {
  if (std::getenv("OMPI_MCA_btl_tcp_if_include") != nullptr) return {};
  std::vector<comm::HostInterfaces> all;
  for (const Json& host : hosts) {
    const std::string name = host["host"];
    if (std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.first == name; })) continue;
    all.emplace_back(name, std::vector<comm::Interface>());
    for (const Json& interface : host["interfaces"])
      all.back().second.push_back({interface["name"], interface["address"], interface["network"]});
  }
  return comm::interface_notes(all);
}

std::vector<std::string> advice(const train::Run& run, const std::vector<comm::RankPlace>& places,
                                const Json& report) {
  const Json& hosts = report["hosts"];
  std::vector<std::string> notes = comm::placement_notes(places);
  for (std::string& note : network_notes(hosts)) notes.push_back(std::move(note));
  for (const Json& host : hosts) {
    const std::string name = host["host"];
    const int ranks = host["ranks"];
    const double shared = report["memory"]["shared_bytes_a_node"], free = host["shared_memory_free_bytes"];
    if (ranks > 1 && shared > free)
      notes.push_back(
          fmt::format("host {}: {} of shared memory are needed, /dev/shm has {} free; make it "
                      "larger (docker run --shm-size=..., mount -o remount,size=... /dev/shm)",
                      name, format_bytes(shared), format_bytes(free)));
    const double needed = report["memory"]["bytes_a_node"], available = host["memory_available_bytes"];
    if (needed > available)
      notes.push_back(fmt::format("host {}: {} of memory are needed, {} are available", name,
                                  format_bytes(needed), format_bytes(available)));
  }
  const double bytes = report["checkpoint"]["bytes"], disk = report["checkpoint"]["disk_free_bytes"];
  if (3 * bytes > disk)
    notes.push_back(fmt::format(
        "{}: a checkpoint takes {}, and three of them exist while the newest is "
        "written; the disk has {} free",
        report["checkpoint"]["path"].get<std::string>(), format_bytes(bytes), format_bytes(disk)));
  notes.insert(notes.end(), run.notes.begin(), run.notes.end());
  return notes;
}

Json report_of(train::Run& run, const Json& hosts, double step_seconds, const MemoryNeed& memory) {
  const std::int64_t rows = run.data.train.rows();
  const std::int64_t batches = (rows + run.settings.fit.batch_size - 1) / run.settings.fit.batch_size;
  const std::int64_t steps =
      run.settings.fit.steps_per_epoch > 0 ? std::min(batches, run.settings.fit.steps_per_epoch) : batches;
  const std::int64_t window =
      4 * (run.model->total_floats() + run.model->trainable_floats() * run.session.local_size());
  return {{"version", version_number()},
          {"ranks", run.session.size()},
          {"nodes", run.session.nodes()},
          {"shards", run.past.state.shards},
          {"hosts", hosts},
          {"data",
           {{"train_rows", rows},
            {"validation_rows", run.data.validation ? run.data.validation->rows() : 0},
            {"bytes_a_node", run.data.bytes},
            {"fingerprints", run.data.fingerprints}}},
          {"model",
           {{"parameters", run.model->parameter_count()},
            {"mflop_a_sample", run.model->training_flops() * 1e-6}}},
          {"memory",
           {{"bytes_a_node", std::ceil(memory.on_node(run.session.nodes(), run.session.local_size()))},
            {"shared_bytes_a_node", run.data.bytes + window}}},
          {"time",
           {{"step_seconds", step_seconds},
            {"steps_an_epoch", steps},
            {"epoch_seconds", step_seconds * static_cast<double>(steps)},
            {"epochs", run.settings.fit.epochs}}}};
}

void print_data(const Json& data) {
  for (const auto& [name, entry] : data["fingerprints"].items()) {
    const bool whole = entry.contains("sha256");
    log::info(fmt::format("data.{}: {}, SHA-256 {}{}", name, entry.value("source", ""),
                          whole ? "" : "of some rows ",
                          entry.value(whole ? "sha256" : "sampled", "").substr(0, 16)));
  }
  log::info(fmt::format("data: train on {} samples, validate on {}, {} once a node; readable on every host",
                        data["train_rows"].get<std::int64_t>(), data["validation_rows"].get<std::int64_t>(),
                        format_bytes(data["bytes_a_node"])));
}

void print(const Json& report) {
  log::info("nntrain-dist " + report["version"].get<std::string>() + ", the same build on every rank");
  log::info(fmt::format("{} on {}, {}", count_of(report["ranks"], "rank"), count_of(report["nodes"], "node"),
                        count_of(report["shards"], "shard")));
  for (const Json& line : report["placement"]) log::info(line.get<std::string>());
  for (const Json& host : report["hosts"]) {
    std::string binding;
    for (const Json& cpus : host["binding"])
      binding += (binding.empty() ? "" : " | ") + cpus.get<std::string>();
    std::string networks;
    for (const Json& interface : host["interfaces"])
      networks += (networks.empty() ? "" : ", ") + interface["name"].get<std::string>() + " " +
                  interface["address"].get<std::string>();
    log::info(fmt::format(
        "host {}: {} on {}, CPUs {}; memory {}, /dev/shm {} free; network {}",
        host["host"].get<std::string>(), count_of(host["ranks"], "rank"), count_of(host["cores"], "core"),
        binding, format_bytes(host["memory_available_bytes"]), format_bytes(host["shared_memory_free_bytes"]),
        networks.empty() ? "none but the loopback" : networks));
  }
  print_data(report["data"]);
  const Json &time = report["time"], &checkpoint = report["checkpoint"];
  log::info(fmt::format("memory: about {} a node, {} of them shared by its ranks",
                        format_bytes(report["memory"]["bytes_a_node"]),
                        format_bytes(report["memory"]["shared_bytes_a_node"])));
  log::info(fmt::format("time: {:.3g} ms a step, {} and {} an epoch, without validation and checkpoints",
                        1e3 * time["step_seconds"].get<double>(), count_of(time["steps_an_epoch"], "step"),
                        train::format_duration(time["epoch_seconds"])));
  const Json& seconds = checkpoint["estimated_seconds"];
  log::info(fmt::format("checkpoint: {} ({}); {}, {} free on its disk, {}",
                        checkpoint["path"].get<std::string>(), checkpoint["state"].get<std::string>(),
                        format_bytes(checkpoint["bytes"]), format_bytes(checkpoint["disk_free_bytes"]),
                        seconds.is_null() ? "its speed could not be tried"
                                          : fmt::format("about {:.2g} s to write", seconds.get<double>())));
}

}  // namespace

ExitCode check(comm::Session& session, const CommandLine& line) {
  if (line.has("json")) log::leave_stdout_to_the_answer();
  const train::Configuration configuration = read_configuration(session, line);
  train::Settings settings;
  const std::vector<Json> ranks = describe_all(session);
  comm::collectively(session, "check", [&] {
    settings = train::read_settings(configuration);
    check_versions(ranks);
  });
  const std::string& path = settings.checkpoint.path;
  const bool resumes = settings.checkpoint.resume != train::Resume::kNever;
  std::int64_t there = session.is_root() && resumes && checkpoint::exists(path) ? 1 : 0;
  there = session.maximum(there);
  std::unique_ptr<checkpoint::Contents> previous;
  if (there != 0) previous = std::make_unique<checkpoint::Contents>(train::read_contents(session, path));

  train::Configuration trial = trial_configuration(configuration, "");  // no lock, no folder
  if (previous) set_key(trial, "run.shards", std::to_string(previous->state.shards));
  const auto run = train::open_run(session, trial, {log::standard(), stop_token(), version_number()});
  const MemoryNeed memory = memory_need(*run, kept_sets(settings));
  Json report = report_of(*run, hosts_of(ranks), measure_step(*run, 64, 1.0), memory);
  const std::vector<comm::RankPlace> places = comm::rank_places(session);
  report["placement"] = comm::placement_lines(places);
  comm::collectively(session, "check the checkpoint", [&] {
    if (session.is_root()) report["checkpoint"] = check_checkpoint(*run, previous.get(), path);
  });
  if (!session.is_root()) return ExitCode::kDone;
  const std::vector<std::string> notes = advice(*run, places, report);
  report["notes"] = notes;
  if (line.has("json")) {
    log::answer(report.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return ExitCode::kDone;
  }
  print(report);
  for (const std::string& note : notes) log::note(note);
  return ExitCode::kDone;
}

}  // namespace nntrain::cli
