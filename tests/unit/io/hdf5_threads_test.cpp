// One thread writes a file while others read: libhdf5 is not thread-safe, its wrapper is.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "io/hdf5.h"

namespace nntrain::io {
namespace {

std::string scratch_file(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + std::to_string(getpid()) + ".h5")).string();
}

std::vector<float> numbers(std::size_t count, float first) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

void write_file(const std::string& path, float first) {
  Hdf5File file = Hdf5File::create(path);
  file.root().write_attribute("text", std::string(5000, 'x'));
  for (int k = 0; k < 20; ++k) {
    const std::string name = "group" + std::to_string(k) + "/values";
    file.root().write_dataset(name, Shape{300, 17}, numbers(300 * 17, first));
  }
  file.root().write_dataset("large", Shape{3000, 1001}, numbers(3000 * 1001, first));  // in pieces
  file.close();
}

/// The sum of what does not fit.
int count_errors(const std::string& path, float first) {
  const Hdf5File file = Hdf5File::open(path);
  int errors = 0;
  errors += file.root().read_text("text") != std::string(5000, 'x');
  for (int k = 0; k < 20; ++k) {
    const Hdf5Dataset dataset = file.root().dataset("group" + std::to_string(k) + "/values");
    errors += dataset.read_all<float>() != numbers(300 * 17, first);
    EXPECT_THROW(file.root().dataset("group" + std::to_string(k) + "/nothing"), InputError);
  }
  errors += file.root().dataset("large").read_all<float>() != numbers(3000 * 1001, first);
  return errors;
}

TEST(Hdf5Threads, FilesOfTheirOwnWrittenAndReadAtOnce) {
  const std::string common = scratch_file("nntrain_common");
  write_file(common, 7);
  std::atomic<int> errors{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string mine = scratch_file("nntrain_thread" + std::to_string(t) + "_");
      for (int round = 0; round < 5; ++round) {
        write_file(mine, static_cast<float>(t));
        errors += count_errors(mine, static_cast<float>(t)) + count_errors(common, 7);
      }
      std::filesystem::remove(mine);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors, 0);
  std::filesystem::remove(common);
}

TEST(Hdf5Threads, DatasetsOfOneFileReadAtOnce) {
  const std::string path = scratch_file("nntrain_shared");
  write_file(path, 3);
  const Hdf5File file = Hdf5File::open(path);
  std::vector<Hdf5Dataset> datasets;
  for (int k = 0; k < 20; ++k)
    datasets.push_back(file.root().dataset("group" + std::to_string(k) + "/values"));
  std::atomic<int> errors{0}, next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < 200; i = next++)
        errors += datasets[static_cast<std::size_t>(i % 20)].read_all<float>() != numbers(300 * 17, 3);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors, 0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace nntrain::io
