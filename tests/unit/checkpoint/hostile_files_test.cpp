// Keras files of a few kilobytes that name the same groups and arrays again and again: refused before they
// take time and memory.

#include <gtest/gtest.h>

#include "checkpoint/checkpoint.h"
#include "io/hdf5.h"
#include "unit/io/scratch.h"

namespace nntrain::checkpoint {
namespace {

using test::contains;
using test::message_of;

const std::vector<Json> kLayers = {{{"class_name", "Dense"}, {"config", {{"name", "dense"}, {"units", 3}}}}};

TEST(HostileFiles, AnArrayUnderManyNamesIsNotReadManyTimes) {
  const test::Scratch scratch;
  const std::string path = scratch.path("a.weights.h5");
  for (const std::size_t times : {1U, 1000U}) {
    io::Hdf5File file = io::Hdf5File::create(path);
    file.root().write_attribute("layer_names", std::vector<std::string>{"dense"});
    io::Hdf5Group dense = file.root().create_group("dense");
    dense.write_attribute("weight_names", std::vector<std::string>(times, "kernel:0"));
    dense.write_dataset("kernel:0", Shape{1000, 20}, std::vector<float>(20000, 0.5F));
    file.close();
    if (times == 1) {
      EXPECT_EQ(read_weights(path, kLayers).weights.at(0).values.size(), 20000U);
    } else {
      EXPECT_TRUE(contains(message_of<InputError>([&] { read_weights(path, kLayers); }), "several names"));
    }
  }
}

TEST(HostileFiles, AGroupUnderTwoNamesIsRefused) {
  const std::string message =
      message_of<InputError>([] { read_weights(NNTRAIN_TESTS_DIR "/unit/io/files/diamond.h5", kLayers); });
  EXPECT_TRUE(contains(message, "under another name"));
  EXPECT_TRUE(contains(message, "diamond.h5"));
}

}  // namespace
}  // namespace nntrain::checkpoint
