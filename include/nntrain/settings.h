#pragma once
// Keras' compile() and fit() arguments, in Keras' words: a value that names something is a name or a call
// with Keras' arguments ("SGD(learning_rate=0.01)"). `nntrain-dist vocabulary` lists them all,
// docs/vocabulary.md has the list.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nntrain {

struct Compile {
  std::string loss;
  std::string optimizer = "rmsprop";
  std::vector<std::string> metrics;
  std::vector<std::string> weighted_metrics;  ///< those that use sample and class weights
};

struct Fit {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 32;      ///< of all ranks together
  std::int64_t steps_per_epoch = 0;  ///< 0: the whole data set
  bool shuffle = true;               ///< a new order of samples every epoch
  double validation_split = 0;       ///< the last fraction of the rows validates
  std::map<std::int64_t, double> class_weight;
  std::vector<std::string> callbacks;  ///< "EarlyStopping(monitor=\"val_loss\", patience=10)"
  std::uint64_t seed = 0;              ///< of the order of samples and of random layers
  /// A file that the run owns: written after every epoch, gone on from when it is there. Empty: nothing is
  /// saved.
  std::string checkpoint;
  int verbose = 0;  ///< 0: silent, 1: progress bar, 2: a line an epoch; rank 0 prints
  /// Any other key of a configuration (docs: nntrain-dist train --help), e.g. {"run.shards", "8"}.
  std::map<std::string, std::string> further;
};

}  // namespace nntrain
