// A layer, a loss and a callback of the program's own, equal to what Keras has, so that one can see it:
// own_layer IRIS.csv

#include <cmath>
#include <cstdio>

#include "tables.h"

namespace {

/// y = x * w + b, one w and one b a feature; Keras' Dense cannot do that.
class Affine : public nntrain::OwnLayer {
 public:
  std::vector<std::int64_t> build(const std::vector<std::int64_t>& input,
                                  const nntrain::AddWeight& add) override {
    width_ = input.back();
    add("gain", input, "ones");
    add("offset", input, "zeros");
    return input;
  }
  void forward(std::int64_t rows, const float* x, const std::vector<const float*>& weights,
               float* y) override {
    for (std::int64_t i = 0; i < rows * width_; ++i)
      y[i] = x[i] * weights[0][i % width_] + weights[1][i % width_];
  }
  void backward(std::int64_t rows, const float* x, const float* dy, const std::vector<const float*>& weights,
                float* dx, const std::vector<float*>& gradients) override {
    for (std::int64_t i = 0; i < rows * width_; ++i) {
      gradients[0][i % width_] += x[i] * dy[i];
      gradients[1][i % width_] += dy[i];
      if (dx != nullptr) dx[i] = dy[i] * weights[0][i % width_];
    }
  }

 private:
  std::int64_t width_ = 0;
};

/// factor * (prediction - target)^2
class Squares : public nntrain::OwnLoss {
 public:
  explicit Squares(double factor) : factor_(static_cast<float>(factor)) {}
  void compute(std::int64_t rows, std::int64_t width, const float* targets, const float* predictions,
               float* values, float* d_predictions) const override {
    for (std::int64_t row = 0; row < rows; ++row) {
      values[row] = 0;
      for (std::int64_t i = row * width; i < (row + 1) * width; ++i) {
        const float difference = predictions[i] - targets[i];
        values[row] += factor_ * difference * difference;
        if (d_predictions != nullptr) d_predictions[i] = 2 * factor_ * difference;
      }
    }
  }

 private:
  float factor_;
};

class StopBelow : public nntrain::OwnCallback {
 public:
  explicit StopBelow(double loss) : loss_(loss) {}
  bool on_epoch_end(std::int64_t, const std::map<std::string, double>& results) override {
    return results.at("loss") >= loss_;
  }

 private:
  double loss_;
};

double trained(nntrain::Session& session, const Table& iris, const std::vector<std::string>& layers,
               const std::string& loss, std::size_t& epochs) {
  nntrain::Model model(session, layers, {4}, 3);
  model.compile({loss, "SGD(0.01)", {}, {}});
  nntrain::Fit fit;
  fit.epochs = 200;
  fit.callbacks = {"StopBelow(loss=0.25)"};
  const nntrain::History history = model.fit({iris.x, iris.y, {}}, fit);
  epochs = history.epoch.size();
  return history["loss"].back();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    nntrain::register_layer("Affine", {},
                            [](const nntrain::Arguments&) { return std::make_unique<Affine>(); });
    nntrain::register_loss("Squares", {{"factor", 1.0}}, [](const nntrain::Arguments& arguments) {
      return std::make_unique<Squares>(arguments.at("factor"));
    });
    nntrain::register_callback("StopBelow", {{"loss", 0.0}}, [](const nntrain::Arguments& arguments) {
      return std::make_unique<StopBelow>(arguments.at("loss"));
    });
    nntrain::Session session(argc, argv);
    if (argc != 2) return 2;
    const Table iris = read_table(argv[1]);
    std::size_t own_epochs = 0, keras_epochs = 0;
    const double own = trained(session, iris, {"Affine()", "Dense(1)"}, "Squares(factor=1.0)", own_epochs);
    const double keras = trained(session, iris, {"Affine()", "Dense(1)"}, "mse", keras_epochs);
    if (session.is_root()) {
      std::printf("loss %.9g after %zu epochs\n", own, own_epochs);
      std::printf("Squares is mse: %s; stopped early: %s\n",
                  own == keras && own_epochs == keras_epochs ? "yes" : "no", own_epochs < 200 ? "yes" : "no");
    }
    session.close();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_layer: %s\n", error.what());
    return 1;
  }
}
