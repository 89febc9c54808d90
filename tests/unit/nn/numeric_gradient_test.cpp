// Numeric gradient checks of every layer and loss: central differences of a random projection of the outputs.

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/call.h"
#include "core/random.h"
#include "golden_json.h"
#include "nn/activations/activation.h"
#include "nn/losses/loss.h"
#include "nn/model/sequential.h"

namespace nntrain::nn {
namespace {

constexpr int kShards = 3;  // 4 rows: uneven shards
constexpr std::int64_t kRows = 4;

class LocalSum : public GlobalSum {
 public:
  void sum(std::span<const double> per_shard, std::span<double> total) override {
    for (std::size_t i = 0; i < total.size(); ++i) {
      std::vector<double> column;
      for (std::size_t s = 0; s < kShards; ++s) column.push_back(per_shard[s * total.size() + i]);
      total[i] = tree_sum(column);
    }
  }
};

std::vector<float> random(std::size_t count, std::uint32_t index, float low = -1, float high = 1) {
  const RandomStream stream(17, Purpose::kTest, index);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = low + (high - low) * stream.uniform(0, i);
  return values;
}

/// A model of two layers, so that dx of the second is needed by the first.
class Probe {
 public:
  explicit Probe(const std::vector<std::string>& layers, const Shape& input) {
    std::vector<Json> specs;
    for (const std::string& layer : layers) specs.push_back(parse_call(layer));
    model_ = std::make_unique<Sequential>("m", specs, input);
    values_.resize(static_cast<std::size_t>(model_->total_floats()));
    model_->bind(values_);
    model_->initialize(3);
    for (Variable& variable : model_->variables()) {  // away from symmetric starts
      const std::vector<float> noise = random(static_cast<std::size_t>(variable.size()),
                                              100 + static_cast<std::uint32_t>(variable.index), 0.1F, 0.6F);
      for (std::size_t i = 0; i < noise.size(); ++i) variable.values[i] += noise[i];
    }
    model_->prepare(kRows, Mode::kTraining);
    for (int s = 0; s <= kShards; ++s) bounds_.push_back(shard_begin(s, kShards, kRows));
    x_ = random(static_cast<std::size_t>(kRows * input.size()), 1);
    projection_ = random(static_cast<std::size_t>(kRows * model_->output_shape().size()), 2);
  }

  double objective() {
    const float* y = model_->forward(context(), x_.data());
    double sum = 0;
    for (std::size_t i = 0; i < projection_.size(); ++i) sum += static_cast<double>(y[i]) * projection_[i];
    for (const double activity : activity_) sum += activity;
    return sum + model_->regularization_loss();
  }

  std::vector<float> gradients() {
    objective();
    std::vector<float> flat(values_.size(), 0.0F), d = projection_;
    GradientTree tree({0, kShards}, kShards, {std::span<float>(flat)}, model_->total_floats());
    model_->backward(context(), d.data(), tree);
    return flat;
  }

  void check(const std::string& what) {
    const std::vector<float> analytic = gradients();
    for (const Variable& variable : model_->variables()) {
      if (!variable.trainable) continue;
      for (std::int64_t i = 0; i < variable.size(); i += 1 + variable.size() / 12) {
        const float kept = variable.values[i], h = 4e-3F;
        variable.values[i] = kept + h;
        const double up = objective();
        variable.values[i] = kept - h;
        const double down = objective();
        variable.values[i] = kept;
        const double numeric = (up - down) / (2.0 * static_cast<double>(h));
        const double given = analytic[static_cast<std::size_t>(variable.offset + i)];
        EXPECT_NEAR(given, numeric, 0.02 * std::max(1.0, std::abs(numeric)))
            << what << ": " << variable.layer << "/" << variable.name << " [" << i << "]";
      }
    }
  }

 private:
  BatchContext context() {
    std::fill(activity_.begin(), activity_.end(), 0.0);
    BatchContext made;
    made.mode = Mode::kTraining;
    made.rows = made.batch_rows = kRows;
    made.bounds = bounds_;
    made.shards = kShards;
    made.seed = 5;
    made.sums = &sums_;
    made.writes_state = false;
    made.activity_loss = activity_;
    return made;
  }

  std::unique_ptr<Sequential> model_;
  std::vector<float> values_, x_, projection_;
  std::vector<std::int64_t> bounds_;
  std::vector<double> activity_ = std::vector<double>(kShards, 0.0);
  LocalSum sums_;
};

/// `checked` must hold every name of the registry but `without`.
template <class Product>
void expect_all(const Registry<Product>& registry, const std::set<std::string>& checked,
                const std::set<std::string>& without = {}) {
  for (const Signature* signature : registry.signatures()) {
    EXPECT_TRUE(checked.count(signature->class_name) != 0 || without.count(signature->class_name) != 0)
        << "no numeric gradient check of the " << registry.family() << " " << signature->class_name;
  }
}

TEST(NumericGradient, EveryLayer) {
  std::set<std::string> checked = {"Reshape", "Permute", "RepeatVector"};  // in LayersOnSamplesOfHigherRank
  for (const char* layer : {"Dense(3)",
                            "Dense(3, activation=\"tanh\")",
                            "Dense(3, activation=\"softmax\")",
                            "Dense(3, activation=\"gelu\")",
                            "Dense(3, activation=\"silu\")",
                            "Dense(3, activation=\"softplus\")",
                            "Dense(3, activation=\"elu\")",
                            "Dense(3, kernel_regularizer=L2(0.1), activity_regularizer=L2(0.1))",
                            "Dense(3, kernel_regularizer=OrthogonalRegularizer(0.1))",
                            "BatchNormalization()",
                            "BatchNormalization(scale=False)",
                            "LayerNormalization()",
                            "RMSNormalization()",
                            "UnitNormalization()",
                            "PReLU()",
                            "LeakyReLU()",
                            "ELU()",
                            "ReLU(negative_slope=0.1)",
                            "Softmax()",
                            "Activation(\"mish\")",
                            "Rescaling(2.0, offset=1.0)",
                            "Normalization(mean=0.5, variance=2.0)",
                            "Dropout(0.4)",
                            "AlphaDropout(0.3)",
                            "GaussianNoise(0.2)",
                            "GaussianDropout(0.2)",
                            "ActivityRegularization(l2=0.1)",
                            "GroupNormalization(groups=5)",
                            "GroupNormalization(groups=1)",
                            "Identity()",
                            "Flatten()"}) {
    Probe({"Dense(5, activation=\"tanh\")", layer}, Shape{4}).check(layer);
    checked.insert(layers().canonical(parse_call(layer))["class_name"].get<std::string>());
  }
  const char* embedding = "Embedding(4, 3, embeddings_regularizer=L2(0.1))";
  Probe({"Discretization([-0.5, 0.0, 0.5])", embedding, "Flatten()", "Dense(2)"}, Shape{4}).check(embedding);
  checked.insert("Embedding");
  // Input is none, the others are steps and have no slope.
  expect_all(layers(), checked,
             {"Input", "CategoryEncoding", "Discretization", "Hashing", "IntegerLookup", "StringLookup"});
}

TEST(NumericGradient, LayersOnSamplesOfHigherRank) {
  for (const char* layer :
       {"Dense(3, activation=\"sigmoid\")", "LayerNormalization(axis=[1, 2])", "BatchNormalization(axis=1)",
        "PReLU(shared_axes=[1])", "UnitNormalization(axis=1)", "GroupNormalization(groups=3)",
        "GroupNormalization(groups=1, axis=1)", "Permute((2, 1))", "Softmax(axis=1)",
        "LayerNormalization(axis=-2)", "RMSNormalization(axis=[-1, -2])"}) {
    Probe({"Dense(3, activation=\"tanh\")", layer}, Shape{2, 4}).check(layer);
  }
  Probe({"Dense(6)", "Reshape((3, 2))", "Dense(2)"}, Shape{4}).check("Reshape");
  Probe({"Dense(3)", "RepeatVector(2)", "LayerNormalization(axis=[1, 2])"}, Shape{4}).check("RepeatVector");
}

TEST(NumericGradient, EveryActivation) {
  std::set<std::string> checked;
  std::vector<std::string> specs = {"relu(0.1, 2.5, 0.6)", "leaky_relu(0.1)", "elu(0.5)",
                                    "ReLU(1.3, 0.2, 0.1)", "LeakyReLU(0.05)", "ELU(0.7)"};
  for (const Signature* signature : activations().signatures()) specs.push_back(signature->class_name);
  for (const std::string& spec : specs) {
    const std::unique_ptr<Activation> activation = activations().make(parse_call(spec));
    checked.insert(activation->spec()["class_name"].get<std::string>());
    constexpr std::int64_t kColumns = 6;
    const std::int64_t outputs = activation->output_columns(kColumns);
    std::vector<float> z = random(kRows * kColumns, 21, -1.9F, 1.9F),
                       y(static_cast<std::size_t>(kRows * outputs)), dz(z.size());
    const std::vector<float> dy = random(y.size(), 22);
    const auto total = [&](std::size_t at, float moved) {
      std::vector<float> x = z;
      x[at] += moved;
      activation->forward(kRows, kColumns, x.data(), nullptr, y.data());
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(y[i]) * dy[i];
      return sum;
    };
    total(0, 0);
    activation->backward(kRows, kColumns, z.data(), y.data(), dy.data(), dz.data());
    const std::vector<float> analytic = dz;
    for (std::size_t i = 0; i < z.size(); ++i) {
      constexpr float kStep = 2e-3F;
      const double here = total(i, 0), up = (total(i, kStep) - here) / static_cast<double>(kStep),
                   down = (here - total(i, -kStep)) / static_cast<double>(kStep);
      if (std::abs(up - down) > 0.05) continue;  // a kink: the slope is a convention
      EXPECT_NEAR(analytic[i], (up + down) / 2, 0.02 * std::max(1.0, std::abs(up)))
          << spec << " [" << i << "] at " << z[i];
    }
  }
  expect_all(activations(), checked);
}

TEST(NumericGradient, EveryLoss) {
  std::set<std::string> checked;
  struct Case {
    const char* spec;
    bool sparse, probabilities;
  };
  for (const Case& one : {Case{"mse", false, false},
                          {"mae", false, false},
                          {"mape", false, false},
                          {"msle", false, true},
                          {"Huber(0.4)", false, false},
                          {"log_cosh", false, false},
                          {"poisson", false, true},
                          {"kl_divergence", false, true},
                          {"BinaryCrossentropy(label_smoothing=0.1)", false, true},
                          {"BinaryCrossentropy(from_logits=True)", false, false},
                          {"BinaryFocalCrossentropy(apply_class_balancing=True)", false, true},
                          {"CategoricalCrossentropy(label_smoothing=0.1)", false, true},
                          {"CategoricalCrossentropy(from_logits=True)", false, false},
                          {"CategoricalFocalCrossentropy()", false, true},
                          {"SparseCategoricalCrossentropy()", true, true},
                          {"SparseCategoricalCrossentropy(from_logits=True)", true, false},
                          {"hinge", false, false},
                          {"squared_hinge", false, false},
                          {"categorical_hinge", false, false},
                          {"cosine_similarity", false, false},
                          {"Dice(axis=-1)", false, true},
                          {"Tversky(axis=-1, alpha=0.3)", false, true},
                          {"Dice()", false, true},
                          {"Tversky(alpha=0.3)", false, true},
                          {"Circle(gamma=2.0)", true, true},
                          {"CategoricalGeneralizedCrossEntropy(q=0.4)", true, true},
                          {"perceptron", false, false}}) {
    const std::unique_ptr<Loss> loss = losses().make(parse_call(one.spec));
    checked.insert(loss->spec()["class_name"].get<std::string>());
    constexpr std::int64_t kClasses = 3;
    std::vector<float> p = random(kRows * kClasses, 7, one.probabilities ? 0.15F : -1.2F,
                                  one.probabilities ? 0.8F : 1.2F),
                       t(kRows * kClasses, 0.0F), scale(kRows, 1.0F), values(kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      if (one.sparse)
        t[row] = static_cast<float>(row % kClasses);
      else
        t[row * kClasses + row % kClasses] = 1.0F;
    }
    if (one.spec == std::string("mape")) {
      for (float& target : t) target += 0.9F;  // it divides by the target
    }
    LossInputs in{kRows, kClasses, one.sparse ? 1 : kClasses, t.data(), p.data(), p.data(), Head::kNone, 0,
                  0,     {}};
    in.batch_positions = kRows;
    std::vector<double> workspace;
    in.workspace = &workspace;
    std::vector<double> sums(static_cast<std::size_t>(loss->batch_sums(kRows, kClasses)));
    in.batch_sums = sums;
    const bool whole =
        !sums.empty() && one.spec != std::string("Circle(gamma=2.0)");  // every row then has the batch's loss
    if (whole) std::fill(scale.begin(), scale.end(), 1.0F / kRows);
    const auto add_sums = [&] {
      std::fill(sums.begin(), sums.end(), 0.0);
      if (!sums.empty()) loss->add_batch_sums(in, scale.data(), sums);
    };
    std::vector<float> d(p.size());
    add_sums();
    loss->compute(in, scale.data(), values.data(), d.data());
    for (std::size_t i = 0; i < p.size(); ++i) {
      const auto total = [&] {
        add_sums();
        loss->compute(in, nullptr, values.data(), nullptr);
        double sum = 0;
        for (const float value : values) sum += value;
        return whole ? sum / kRows : sum;
      };
      const float kept = p[i], h = 2e-3F;
      p[i] = kept + h;
      const double up = total();
      p[i] = kept - h;
      const double down = total();
      p[i] = kept;
      const double numeric = (up - down) / (2.0 * static_cast<double>(h));
      EXPECT_NEAR(d[i], numeric, 0.02 * std::max(1.0, std::abs(numeric))) << one.spec << " [" << i << "]";
    }
  }
  expect_all(losses(), checked);
}

TEST(NumericGradient, FusedHeadsAreTheUnfusedLosses) {
  for (const auto& [spec, head] :
       std::vector<std::pair<const char*, Head>>{{"sparse_categorical_crossentropy", Head::kSoftmax},
                                                 {"categorical_crossentropy", Head::kSoftmax},
                                                 {"binary_crossentropy", Head::kSigmoid}}) {
    const std::unique_ptr<Loss> loss = losses().make(spec);
    ASSERT_TRUE(loss->fuses(head));
    constexpr std::int64_t kClasses = 3;
    const std::vector<float> z = random(kRows * kClasses, 9, -2, 2);
    std::vector<float> p(z.size()), t(z.size(), 0.0F), scale(kRows, 0.25F), fused(kRows), plain(kRows),
        d_fused(z.size()), d_plain(z.size());
    for (std::size_t row = 0; row < kRows; ++row)
      loss->sparse() ? void(t[row] = static_cast<float>(row % kClasses))
                     : void(t[row * kClasses + row % kClasses] = 1.0F);
    apply_head(head, kRows, kClasses, z.data(), p.data());
    const std::int64_t width = loss->sparse() ? 1 : kClasses;
    loss->compute({kRows, kClasses, width, t.data(), z.data(), p.data(), head, 0, 0, {}}, scale.data(),
                  fused.data(), d_fused.data());
    loss->compute({kRows, kClasses, width, t.data(), p.data(), p.data(), Head::kNone, 0, 0, {}}, scale.data(),
                  plain.data(), d_plain.data());
    const std::unique_ptr<Activation> activation =
        activations().make(head == Head::kSoftmax ? "softmax" : "sigmoid");
    activation->backward(kRows, kClasses, z.data(), p.data(), d_plain.data(), d_plain.data());
    golden::expect_near(fused, plain, 1e-5, spec);
    golden::expect_near(d_fused, d_plain, 1e-5, spec);
  }
}

}  // namespace
}  // namespace nntrain::nn
