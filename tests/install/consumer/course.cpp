// The first course in neural networks, step by step, through the library: course IRIS.csv FOLDER

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "tables.h"

namespace {

/// A perceptron tells setosa from the others by the petals.
void perceptron(nntrain::Session& session, const Table& iris) {
  nntrain::Array petals, setosa = iris.y;
  petals.shape = {iris.x.shape[0], 2};
  for (std::size_t row = 0; row < iris.y.values.size(); ++row) {
    petals.values.insert(petals.values.end(), {iris.x.values[row * 4 + 2], iris.x.values[row * 4 + 3]});
    setosa.values[row] = iris.y.values[row] == 0 ? 1.0F : 0.0F;
  }
  nntrain::Model model(session, {"Dense(1, kernel_initializer=\"zeros\")"}, {2});
  model.compile({"perceptron", "SGD(1.0)", {}, {}});
  nntrain::Fit fit;
  fit.epochs = 20;
  fit.batch_size = 1;
  model.fit({petals, setosa, {}}, fit);
  const nntrain::Array answer = model.predict(nntrain::Array{{2.0F, 0.5F}, {1, 2}});
  if (session.is_root()) std::printf("[2, 0.5] is %s\n", answer.values[0] > 0 ? "setosa" : "not setosa");
}

/// What another program wrote is not written over.
bool foreign_file_is_kept(const nntrain::Session& session, nntrain::Model& model, const std::string& path) {
  if (session.is_root()) std::ofstream(path) << "years of work";
  try {
    model.save(path);
  } catch (const nntrain::Error& error) {
    if (error.code() != nntrain::ExitCode::kInput) return false;
    if (!session.is_root()) return true;
    std::string text;
    std::getline(std::ifstream(path), text);
    return text == "years of work";
  }
  return false;
}

/// Layers, weights, compile, fit, History, evaluate, predict, argmax.
void classifier(nntrain::Session& session, const Table& iris, const std::string& folder) {
  nntrain::Model model(
      session, {"Normalization()", "Dense(16, activation=\"relu\")", "Dense(3, activation=\"softmax\")"}, {4},
      42);
  if (session.is_root()) std::printf("%s\n", model.summary().c_str());
  const nntrain::LayerInfo hidden = model.get_layer("dense");
  const std::vector<nntrain::Array> weights = model.get_weights(hidden.name);
  if (session.is_root()) {
    std::printf("%s: %zu arrays, kernel (%lld, %lld), bias (%lld)\n", hidden.name.c_str(), weights.size(),
                static_cast<long long>(weights[0].shape[0]), static_cast<long long>(weights[0].shape[1]),
                static_cast<long long>(weights[1].shape[0]));
  }
  model.compile({"sparse_categorical_crossentropy", "Adam(0.01)", {"accuracy"}, {}});
  nntrain::Fit fit;
  fit.epochs = 30;
  fit.seed = 42;
  const nntrain::Data data{iris.x, iris.y, {}};
  const nntrain::History history = model.fit(data, fit);
  const nntrain::History more = model.fit(data, fit);  // goes on
  const nntrain::Results results = model.evaluate(data);
  const nntrain::Array three{{iris.x.values.begin(), iris.x.values.begin() + 12}, {3, 4}};
  const nntrain::Array probabilities = model.predict(three);
  model.save(folder + "/iris.h5");
  nntrain::Model again = nntrain::Model::load(session, folder + "/iris.h5");
  bool typed = false;  // whatever the number of ranks
  try {
    (void)again.predict({probabilities.values, probabilities.shape});
  } catch (const nntrain::InputError&) {
    typed = true;
  }
  const bool kept = foreign_file_is_kept(session, model, folder + "/mine.h5");
  const bool same = again.predict(three).values == probabilities.values;
  if (!session.is_root()) return;
  std::printf("epochs %zu and %zu, the last is %lld; loss fell: %s\n", history.epoch.size(),
              more.epoch.size(), static_cast<long long>(more.epoch.back()),
              more["loss"].back() < history["loss"].front() ? "yes" : "no");
  std::printf("accuracy above 0.9: %s\n", results.at("accuracy") > 0.9 ? "yes" : "no");
  for (int row = 0; row < 3; ++row) {
    const float* outputs = probabilities.values.data() + row * 3;
    std::printf(
        "%s ",
        iris.classes[static_cast<std::size_t>(std::max_element(outputs, outputs + 3) - outputs)].c_str());
  }
  std::printf("\nloaded again, it predicts the same: %s\n", same ? "yes" : "no");
  std::printf("a file of another program is kept: %s\n", kept ? "yes" : "no");
  std::printf("a mistake is an InputError: %s\n", typed ? "yes" : "no");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    nntrain::Session session(argc, argv);
    if (argc != 3) return 2;
    const Table iris = read_table(argv[1]);
    perceptron(session, iris);
    classifier(session, iris, argv[2]);
    session.close();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "course: %s\n", error.what());
    return 1;
  }
}
