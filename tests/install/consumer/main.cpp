// Trains through the library, as a program that embeds it would: consumer DATA.csv CHECKPOINT.h5

#include <cstdio>
#include <exception>
#include <string>

#include "checkpoint/checkpoint.h"
#include "comm/session/session.h"
#include "core/products/gemm.h"
#include "train/config/configuration.h"
#include "train/loop/fit.h"

int main(int argc, char** argv) {
  try {
    nntrain::gemm::use_one_thread();
    nntrain::comm::Session session(argc, argv);
    if (argc != 3) return 2;
    nntrain::train::Configuration configuration;
    const auto set = [&](const char* key, const std::string& text) {
      configuration.add(key, {text, "consumer"});
    };
    set("data.inputs", argv[1]);
    set("data.target_columns", "species");
    set("model.layer", "Dense(8, activation=\"relu\")");
    set("model.layer", "Dense(3, activation=\"softmax\")");
    set("compile.loss", "sparse_categorical_crossentropy");
    set("compile.optimizer", "SGD(learning_rate=0.01)");
    set("fit.epochs", "3");
    set("checkpoint.path", argv[2]);
    nntrain::StopToken stop;
    const auto run = nntrain::train::open_run(session, configuration, "consumer", stop);
    if (nntrain::train::fit(*run) != nntrain::ExitCode::kDone) return 1;
    if (session.is_root()) {
      const auto contents = nntrain::checkpoint::read(argv[2]);
      std::printf("epochs %lld, weights %zu, first weight %lld floats\n",
                  static_cast<long long>(contents.state.epoch), contents.weights.size(),
                  static_cast<long long>(contents.weights.front().values.size()));
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "consumer: %s\n", error.what());
    return 1;
  }
}
