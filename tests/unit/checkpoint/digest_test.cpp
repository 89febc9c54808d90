// The digests: as docs/checkpoint-format.md says they are made, from memory and from a file, by both rules;
// and what a disk changes in silence is found before the new file takes the old one's place.

#include "checkpoint/digest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "contents.h"
#include "core/error.h"
#include "io/hdf5.h"

namespace nntrain::checkpoint {
namespace {

namespace fs = std::filesystem;

class DigestTest : public testing::Test {
 protected:
  DigestTest() { fs::create_directories(folder_); }
  ~DigestTest() override { fs::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  fs::path folder_ = fs::temp_directory_path() / ("nntrain_digest_" + std::to_string(getpid()));
};

/// Hashes as the page tells it, piece by piece.
class ByHand {
 public:
  ByHand& text(const std::string& name, const std::string& text) {
    sha_.add_text(name + ":" + std::to_string(text.size()) + "\n" + text);
    return *this;
  }
  ByHand& raw(const std::string& text) { return sha_.add_text(text), *this; }
  template <class T>
  ByHand& values(const std::vector<T>& values) {
    return sha_.add(std::as_bytes(std::span<const T>(values))), *this;
  }
  std::string hex() { return sha_.hex(); }

 private:
  Sha256 sha_;
};

std::string weights_by_hand(const std::vector<WeightArray>& weights) {
  ByHand sha;
  for (const WeightArray& weight : weights) {
    std::string shape = "(";
    for (const std::int64_t extent : weight.shape.extents()) shape += std::to_string(extent) + ", ";
    shape.resize(shape.size() - (weight.shape.rank() == 1 ? 1 : 2));  // Python's (3,) and (2, 3)
    sha.raw(weight.layer + "/" + weight.name + " " + shape + ")\n").values(weight.values);
  }
  return sha.hex();
}

TEST_F(DigestTest, IsMadeAsThePageSays) {
  const Contents c = example();
  const Digests digests = digests_of(c, array_digests(c));
  EXPECT_EQ(digests.weights, weights_by_hand(c.weights));
  EXPECT_EQ(digests.weights, weights_digest(c.weights));
  ByHand sha;
  sha.text("digest_rule", "2");
  sha.text("model_config", json_text(c.model_config)).text("training_config", json_text(c.training_config));
  sha.text("weights", weights_by_hand(c.weights));
  sha.text("state", "3 17 5000 42 8 0").values(std::vector<double>{c.state.epoch_seconds});
  for (const auto& [name, column] : c.history.columns) sha.text("history", name).values(column);
  sha.text("optimizer", "SGD");
  for (const Slot& slot : c.slots) {
    sha.text("slot", slot.name);
    for (const auto& values : slot.values) sha.text("array", ByHand().values(values).hex());
  }
  sha.text("scalars", "").values(c.optimizer_scalars);
  sha.text("metric_sums", "2").values(c.metric_sums.values);
  sha.text("callbacks", json_text(c.callbacks)).text("config", c.config);
  sha.text("data", json_text(c.data)).text("environment", json_text(c.environment));
  for (const auto& [set, weights] : c.extra_weights)
    sha.text("extra", set).text("weights", weights_by_hand(weights));
  EXPECT_EQ(digests.payload, sha.hex());
}

TEST_F(DigestTest, LargeArraysAreVerifiedPieceByPiece) {
  for (const Shape& shape :
       {Shape{3001, 700}, Shape{2100701}, Shape{1, 2100701}, Shape{2, 3, 400001}, Shape{}}) {
    Contents contents = contents_at(1);
    contents.weights[0].shape = shape;
    contents.weights[0].values.resize(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < contents.weights[0].values.size(); ++i)
      contents.weights[0].values[i] = static_cast<float>(i % 1000);
    contents.slots[0].values[0] = contents.weights[0].values;
    write(file("large.h5"), contents);
    EXPECT_EQ(payload_digest(read(file("large.h5"))), payload_digest(contents)) << shape.to_string();
  }
}

TEST_F(DigestTest, FilesOfTheRuleBeforeAreReadAndTheirDamageIsFound) {
  const std::string old = std::string(NNTRAIN_TESTS_DIR) + "/golden/checkpoints/rule1.h5";
  const Contents contents = read(old);
  EXPECT_EQ(contents.state.iteration, 30);
  EXPECT_EQ(weights_digest(contents.weights),
            "854697d72b0b43fe04ae9da791f2e1ace901052356d854e627ac26dfd7809242");
  const std::string payload = payload_digest(contents, 1), bytes = bytes_of(old);
  int found = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 97) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    std::ofstream(file("damaged.h5"), std::ios::binary) << damaged;
    try {
      EXPECT_EQ(payload_digest(read(file("damaged.h5")), 1), payload) << "byte " << at;
    } catch (const InputError&) {
      ++found;
    }
  }
  EXPECT_GT(found, 100);
}

TEST_F(DigestTest, TheFileSaysItsRule) {
  write(file("a.h5"), example());
  const io::Hdf5File hdf5 = io::Hdf5File::open(file("a.h5"));
  EXPECT_EQ(hdf5.root().group("nntrain_dist").read_integer("digest_rule"), kDigestRule);
}

/// A disk that stores something else than it was given, once, and says nothing.
class LyingSystem : public io::System {
 public:
  explicit LyingSystem(int call) : call_(call) {}
  ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t at) override {
    if (calls_++ != call_) return System::pwrite(descriptor, bytes, size, at);
    std::string changed(static_cast<const char*>(bytes), size);
    changed[size / 2] = static_cast<char>(changed[size / 2] ^ 1);
    return System::pwrite(descriptor, changed.data(), size, at);
  }
  int calls() const { return calls_; }

 private:
  int call_, calls_ = 0;
};

TEST_F(DigestTest, WhatADiskChangesInSilenceIsFoundBeforeTheOldFileGoes) {
  const std::string path = file("run.h5");
  write(path, contents_at(1));
  const std::string old = payload_digest(contents_at(1)), wanted = payload_digest(example());
  int found = 0, calls = 1;
  for (int call = 0; call < calls; ++call) {
    LyingSystem disk(call);
    try {
      write(path, example(), disk);
      EXPECT_EQ(payload_digest(read(path)), wanted) << call;  // the byte meant nothing
      write(path, contents_at(1));
    } catch (const RuntimeError& error) {
      ++found;
      EXPECT_NE(std::string(error.what()).find("what was read back"), std::string::npos) << error.what();
      EXPECT_EQ(payload_digest(read(path)), old) << call;
    }
    calls = std::max(calls, disk.calls());
  }
  EXPECT_GT(found, 10);
}

}  // namespace
}  // namespace nntrain::checkpoint
