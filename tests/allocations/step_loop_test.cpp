// Nothing is allocated in a step: a run of many steps allocates as often as a run of few. Counted is operator
// new, which is how code of ours takes memory; what OpenBLAS, oneDNN and Open MPI do inside themselves is
// theirs. And the copies of the state that files are written from are all in the memory of the first one.

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <new>
#include <string>

#include "core/products/gemm.h"
#include "mpi_main.h"
#include "train/loop/fit.h"

namespace {

std::atomic<std::int64_t> allocations{0};
/// Those of exactly so many bytes are counted beside.
std::atomic<std::size_t> watched_bytes{0};
std::atomic<std::int64_t> watched{0};

/// Did a library that is not ours call operator new? The C++ library works on our behalf.
bool is_foreign(const void* caller) {
  Dl_info info{};
  if (dladdr(caller, &info) == 0 || info.dli_fname == nullptr) return false;
  for (const char* library : {"libdnnl", "openblas", "libmpi", "libopen-", "libhdf5", "/openmpi"}) {
    if (std::strstr(info.dli_fname, library) != nullptr) return true;
  }
  return false;
}

void* counted(std::size_t bytes, std::size_t alignment, const void* caller) {
  if (!is_foreign(caller)) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (bytes == watched_bytes) watched.fetch_add(1, std::memory_order_relaxed);
  }
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(bytes == 0 ? 1 : bytes)
                     : std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The array and nothrow forms of the library call these.
void* operator new(std::size_t bytes) { return counted(bytes, 1, __builtin_return_address(0)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace nntrain::train {
namespace {

using Options = std::map<std::string, std::string>;
using Layers = std::vector<std::string>;

const Layers kDense = {"Flatten()", "Dense(40, activation=\"relu\")", "Dense(20, activation=\"gelu\")",
                       "Dense(10, activation=\"softmax\")"};

/// How often fit() allocates in one epoch of `steps` steps.
std::int64_t allocations_of_fit(std::int64_t steps, const Layers& layers, const Options& options) {
  const std::string data = std::string(NNTRAIN_TESTS_DIR) + "/golden/data/";
  const auto folder =
      std::filesystem::temp_directory_path() / ("nntrain_allocations_" + std::to_string(getppid()));
  std::filesystem::create_directories(folder);
  const std::string checkpoint = (folder / "run.h5").string();
  Options all = {{"data.inputs", data + "fashion_images.npy"},
                 {"data.targets", data + "fashion_labels.npy"},
                 {"data.scale", "1/255"},
                 {"compile.loss", "sparse_categorical_crossentropy"},
                 {"compile.optimizer", "SGD(0.01)"},
                 {"compile.metrics", "accuracy"},
                 {"fit.batch_size", "6"},
                 {"fit.verbose", "0"},
                 {"run.shards", "2"},
                 {"checkpoint.resume", "never"},
                 {"checkpoint.path", checkpoint}};
  for (const auto& [key, text] : options) all[key] = text;
  all["fit.steps_per_epoch"] = std::to_string(steps);
  Configuration configuration;
  for (const auto& [key, text] : all) configuration.add(key, {text, "test"});
  for (const std::string& layer : layers) configuration.add("model.layer", {layer, "test"});
  std::int64_t count = 0;
  {
    StopToken stop;
    Log log(Log::Voice::kSilent);
    const auto run = open_run(mpi_test::session(), configuration, {log, stop, "test"});
    const std::int64_t before = allocations.load();
    EXPECT_EQ(fit(*run), ExitCode::kDone);
    count = allocations.load() - before;
  }
  mpi_test::session().barrier();
  if (mpi_test::session().is_root()) std::filesystem::remove_all(folder);
  mpi_test::session().barrier();
  return count;
}

/// Of three fits: what the clock decides (a status file every few seconds) comes on top now and then.
std::int64_t least_allocations(std::int64_t steps, const Layers& layers, const Options& options) {
  std::int64_t least = allocations_of_fit(steps, layers, options);
  for (int i = 0; i < 2; ++i) least = std::min(least, allocations_of_fit(steps, layers, options));
  return least;
}

/// The first fit of a process pays for what the libraries set up once.
void expect_steps_allocate_nothing(const Layers& layers, const Options& options = {}) {
  allocations_of_fit(3, layers, options);
  const std::int64_t few = least_allocations(10, layers, options);
  const std::int64_t many = least_allocations(100, layers, options);
  EXPECT_GT(few, 0);  // the counter counts
  // Texts of the log and of the checkpoint take memory by their length: some 20, where a single one a step
  // would be 90.
  EXPECT_LT(many - few, 45) << "allocations in 90 more steps";
}

TEST(StepLoop, Dense) { expect_steps_allocate_nothing(kDense); }

TEST(StepLoop, InFileOrder) { expect_steps_allocate_nothing(kDense, {{"fit.shuffle", "false"}}); }

TEST(StepLoop, LayersThatDrawAndNormalize) {
  expect_steps_allocate_nothing(
      {"Flatten()", "Dropout(0.1)", "Dense(40, use_bias=False)", "BatchNormalization()",
       "Activation(\"relu\")", "GaussianNoise(0.1)", "Dense(20, activation=\"silu\")", "LayerNormalization()",
       "PReLU()", "Dense(10, activation=\"softmax\")"},
      {{"compile.optimizer", "Adam(0.001)"}});
}

TEST(StepLoop, RegularizersAndConstraints) {
  expect_steps_allocate_nothing(
      {"Flatten()",
       "Dense(20, activation=\"relu\", kernel_regularizer=L2(0.01), kernel_constraint=MaxNorm(2))",
       "Dense(20, activation=\"relu\", kernel_regularizer=OrthogonalRegularizer(0.01))",
       "Dense(10, activation=\"softmax\", activity_regularizer=L1(0.001))"});
}

TEST(StepLoop, MetricsAndClassWeights) {
  expect_steps_allocate_nothing(
      kDense,
      {{"compile.metrics", "accuracy, SparseTopKCategoricalAccuracy(k=3), sparse_categorical_crossentropy"},
       {"compile.weighted_metrics", "accuracy"},
       {"fit.class_weight", "0:2.0, 1:1.0, 2:1.0, 3:1.0, 4:1.0, 5:1.0, 6:1.0, 7:1.0, 8:1.0, 9:0.5"}});
}

TEST(StepLoop, OptimizersWithNormsAndSchedules) {
  for (const char* optimizer : {"SGD(0.01, momentum=0.9, nesterov=True)",
                                "SGD(CosineDecay(0.1, decay_steps=100), global_clipnorm=1.0)", "AdamW(0.001)",
                                "Lamb(0.001)", "RMSprop(0.001)", "Adafactor(0.001)", "Ftrl(0.001)"}) {
    SCOPED_TRACE(optimizer);
    // No relu: Adafactor divides 0 by 0 where a unit and a pixel are both dead, as Keras' does.
    expect_steps_allocate_nothing(
        {"Flatten()", "Dense(20, activation=\"tanh\")", "Dense(10, activation=\"softmax\")"},
        {{"compile.optimizer", optimizer}});
  }
}

TEST(StepLoop, Profiled) {
  expect_steps_allocate_nothing(
      kDense, {{"run.profile", (std::filesystem::temp_directory_path() /
                                ("nntrain_allocations_" + std::to_string(getppid())) / "trace.json")
                                   .string()}});
}

/// A second copy at a time would be a second state in memory, and new memory costs more than a copy.
TEST(StepLoop, CopiesOfTheStateTakeMemoryOnce) {
  const Layers layers = {"Flatten()", "Dense(1600, activation=\"relu\")",
                         "Dense(10, activation=\"softmax\")"};
  const auto folder =
      std::filesystem::temp_directory_path() / ("nntrain_allocations_" + std::to_string(getppid()));
  const auto kernels = [&](std::int64_t steps, const std::string& weights_only) {
    watched_bytes = 196 * 1600 * sizeof(float);
    const std::int64_t before = watched;
    allocations_of_fit(steps, layers,
                       {{"compile.optimizer", "Adam(0.001)"},
                        {"checkpoint.every_steps", "2"},
                        {"fit.callback", "ModelCheckpoint(\"" + (folder / "m.h5").string() +
                                             "\", save_freq=3, save_weights_only=" + weights_only + ")"}});
    watched_bytes = 0;
    return watched - before;
  };
  for (const char* const weights_only : {"False", "True"}) {
    const std::int64_t few = kernels(6, weights_only);
    // The kernel and Adam's two slots, on rank 0.
    EXPECT_GE(few, mpi_test::session().is_root() ? 3 : 0);
    EXPECT_EQ(kernels(24, weights_only), few) << weights_only;
  }
}

}  // namespace
}  // namespace nntrain::train
