// What it costs that ranks agree: on program and configuration at the start, on the bits of the weights'
// copies later. Under mpirun: agreement_benchmark section.key=value ...; one JSON object, in seconds of rank
// 0's wall clock.

#include "comm/session/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/build_id.h"
#include "train/run/run.h"
#include "train/step/replica_check.h"

namespace {

using namespace nntrain;
using Clock = std::chrono::steady_clock;

/// The median over `times`, of calls that all ranks begin together.
template <class Work>
double median_seconds(comm::Session& session, int times, const Work& work) {
  std::vector<double> all;
  for (int i = 0; i < times; ++i) {
    session.barrier();
    const Clock::time_point start = Clock::now();
    work();
    all.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::nth_element(all.begin(), all.begin() + times / 2, all.end());
  return all[static_cast<std::size_t>(times / 2)];
}

void measure(comm::Session& session, const std::vector<std::string>& settings) {
  train::Configuration configuration;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    configuration.add(setting.substr(0, equals), {setting.substr(equals + 1), "benchmark"});
  }
  Log log(Log::Voice::kSilent);
  StopToken stop;
  const auto run = train::open_run(session, configuration, {log, stop, "benchmark"});
  const double at_start = median_seconds(session, 101, [&] {
    comm::require_agreement(session, "the program", "version\nbuild " + build_id());
    comm::require_agreement(session, "the configuration", configuration.to_ini());
  });
  const double copies =
      median_seconds(session, 101, [&] { train::require_equal_copies(session, *run->engine, *run->model); });
  if (session.is_root())
    fmt::print("{{\"ranks\": {}, \"nodes\": {}, \"start_seconds\": {:.3g}, \"copies_seconds\": {:.3g}}}\n",
               session.size(), session.nodes(), at_start, copies);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    nntrain::comm::Session session(argc, argv);
    measure(session, {argv + 1, argv + argc});
    session.close();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
