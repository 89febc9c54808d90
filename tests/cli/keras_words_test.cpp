// A configuration in the words of a Keras user: what they would write runs, and what is wrong gets one error
// that names the line, the layer and the nearest known words.

#include <algorithm>

#include "cli_test.h"

namespace nntrain::cli_test {
namespace {

constexpr const char* kHead = R"([data]
inputs = iris.csv
input_columns = petal_length, petal_width
target_columns = species
[fit]
epochs = 1
verbose = 2
[checkpoint]
path = iris.h5
resume = never
)";
constexpr const char* kModel =
    "[model]\nlayer = Dense(8, activation=\"relu\")\nlayer = Dense(3, activation=\"softmax\")\n";
constexpr const char* kCompile =
    "[compile]\nloss = sparse_categorical_crossentropy\noptimizer = SGD(0.1)\nmetrics = accuracy\n";

class KerasWords : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    fs::copy_file(fs::path(NNTRAIN_SOURCE_DIR) / "configs/data/iris.csv", folder_ / "iris.csv");
  }
  Outcome train(const std::string& rest, const std::string& options = "") {
    write("run.ini", kHead + rest);
    return run(0, "train run.ini " + options);
  }
};

TEST_F(KerasWords, ModelsRun) {
  for (
      const char* layers :
      {"layer = keras.layers.Dense(units=10, activation='relu', "
       "kernel_regularizer=keras.regularizers.l2(0.01))\n",
       "layer = layers.Dense(64, 'relu', kernel_regularizer=regularizers.L1L2(l1=1e-5, l2=1e-4)),\n",
       "layer = tf.keras.layers.Dense(10, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))\n",
       "layer = Dense(10, activation=tf.nn.relu)\n", "layer = Dense(10, activation=keras.activations.relu)\n",
       "layer = Dense(10, input_shape=(2,))\n", "layer = Dense(10, input_dim=2)\n",
       "layer = keras.Input(shape=(2,))\n", "layer = InputLayer(input_shape=(2,))\nlayer = Dense(1_0)\n",
       "layer = Dropout(.5)\nlayer = Dense(2*5,)\n", "layer = LeakyReLU(alpha=0.1)\n",
       "layer = Dense(8, activation=leaky_relu(0.1))\n",
       "layer = Dense(8, activation=LeakyReLU(alpha=0.1))\n",
       "layer = Rescaling(scale=1/127.5, offset=-1)\nlayer = Normalization()\n",
       "layer = GroupNormalization(groups=2)\n",
       "layer = RepeatVector(3)\nlayer = Permute((2, 1))\nlayer = Flatten()\n",
       "layer = Dense(8, trainable=False, name=\"frozen\")\n"}) {
    const Outcome outcome =
        train(std::string("[model]\n") + layers + "layer = Dense(3, activation=\"softmax\")\n" + kCompile);
    EXPECT_EQ(outcome.code, 0) << layers << outcome.output;
  }
}

TEST_F(KerasWords, CompileAndFitArgumentsRun) {
  for (const char* options :
       {"--compile.loss='keras.losses.SparseCategoricalCrossentropy(from_logits=True)'",
        "--compile.loss=SparseCategoricalCrossentropy", "--compile.loss=crossentropy",
        "--compile.loss=categorical_crossentropy",
        "--compile.loss='\"mean_squared_error\"' --data.positive_class=setosa --model.layer='Dense(1)'",
        "--compile.loss='CategoricalGeneralizedCrossEntropy(q=0.7)'",
        "--compile.loss='Dice()' --data.positive_class=setosa --model.layer='Dense(1, "
        "activation=\"sigmoid\")' --compile.metrics=",
        "--compile.loss='Circle()' --model.layer='Dense(4)' --model.layer='UnitNormalization()' "
        "--compile.metrics=",
        "--compile.metrics='[\"accuracy\", keras.metrics.SparseTopKCategoricalAccuracy(k=2)]'",
        "--compile.metrics='keras.metrics.SparseCategoricalAccuracy(name=\"acc\")'",
        "--compile.optimizer='\"adam\"'", "--compile.optimizer=keras.optimizers.Adam",
        "--compile.optimizer='tf.keras.optimizers.legacy.Adam(1e-3)'",
        "--compile.optimizer='keras.optimizers.Adam(learning_rate=keras.optimizers.schedules.CosineDecay(1e-"
        "3, 1000))'",
        "--compile.optimizer='SGD(ExponentialDecay(0.1, decay_steps=100*15, decay_rate=1 - 0.04), "
        "momentum=0.9, nesterov=True)'",
        "--fit.class_weight='{0: 1.0, 1: 2.5}'", "--fit.batch_size=None --fit.shuffle=False",
        "--fit.callback='[EarlyStopping(\"loss\"), keras.callbacks.TerminateOnNaN()]'",
        "--fit.validation_split=0.2 --fit.callback='keras.callbacks.ModelCheckpoint(filepath=\"best.h5\", "
        "save_best_only=True)'"}) {
    const Outcome outcome = train(std::string(kModel) + kCompile, options);
    EXPECT_EQ(outcome.code, 0) << options << "\n" << outcome.output;
  }
}

TEST_F(KerasWords, MistakesNameTheLineAndTheNearestWords) {
  const std::string compile = kCompile;
  const auto model = [&](const std::string& layer) {
    return "[model]\nlayer = Dense(4)\nlayer = " + layer + "\nlayer = Dense(3, activation=\"softmax\")\n" +
           compile;
  };
  const auto compiled = [&](const std::string& lines) {
    return kModel + std::string("[compile]\n") + lines + "\n";
  };
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {model("Dens(3)"), {"run.ini:13: model.layer: unknown layer \"Dens\"; did you mean \"Dense\""}},
      {model("Conv2D(3, 3)"),
       {"run.ini:13: model.layer: the layer \"Conv2D\" of Keras is not supported: there are no "
        "convolutions"}},
      {model("LSTM(3)"), {"run.ini:13", "not supported: there are no recurrent"}},
      {model("Dense(3, activaton=\"relu\")"),
       {"run.ini:13", "has no argument \"activaton\"; did you mean \"activation\""}},
      {model("Dense()"), {"run.ini:13", "argument \"units\" is missing"}},
      {model("Dense(3.5)"), {"run.ini:13", "\"units\" must be a whole number, got 3.5"}},
      {model("Dense(0)"),
       {"run.ini:13: model.layer 2 (Dense): Received an invalid value for `units`, expected a positive "
        "integer. Received: units=0"}},
      {model("Dense(3, activation=\"softmx\")"),
       {"run.ini:13", "unknown activation \"softmx\"; did you mean \"softmax\""}},
      {model("Dense(3, activation=\"threshold\")"),
       {"run.ini:13", "\"threshold\" of Keras is not supported", "ReLU(threshold=0.5)"}},
      {model("Dense(3, kernel_initializer=\"glorot\")"),
       {"run.ini:13", "did you mean \"glorot_uniform\", \"glorot_normal\""}},
      {model("Dense(3, kernel_regularizer=L3(1))"), {"run.ini:13", "unknown regularizer \"L3\""}},
      {model("Dense(3, kernel_constraint=\"maxnorm\")"), {"run.ini:13", "did you mean \"MaxNorm\""}},
      {model("Dense(3"), {"run.ini:13", "is a bracket left open?"}},
      {model("Dropout(1.5)"),
       {"run.ini:13: model.layer 2 (Dropout): Invalid value received for argument `rate`"}},
      {model("Reshape((3, 2))"),
       {"run.ini:13: model.layer 2 (Reshape): The total size of the tensor must be unchanged. Received: "
        "input_shape=(4,), target_shape=(3, 2)"}},
      {model("BatchNormalization(axis=3)"),
       {"run.ini:13: model.layer 2 (BatchNormalization): layer \"batch_normalization\": axis 3 is out of "
        "bounds"}},
      {model("GroupNormalization(groups=3)"),
       {"run.ini:13: model.layer 2",
        "Number of groups (3) must be a multiple of the number of channels (4)"}},
      {model("Dense(3, name=\"a/b\")"), {"run.ini:13", "a/b"}},
      {"[model]\nlayer = Input((5,))\nlayer = Dense(3, activation=\"softmax\")\n" + compile,
       {"(2,)", "(5,)"}},
      {compiled("loss = sparse_categorical_crossentropie"),
       {"run.ini:15: compile.loss: unknown loss", "\"sparse_categorical_crossentropy\""}},
      {compiled("loss = ctc"), {"run.ini:15: compile.loss: the loss \"ctc\" of Keras is not supported"}},
      {compiled("loss = Huber(dleta=2)"), {"run.ini:15", "did you mean \"delta\""}},
      {compiled("loss = Dice(reduction=\"sum\")"), {"run.ini:15: compile.loss:", "axis=None"}},
      {compiled("loss = mse"), {"column \"species\": \"setosa\" is not a number", "MeanSquaredError wants"}},
      {compiled("loss = sparse_categorical_crossentropy\noptimizer = Adm()"),
       {"run.ini:16: compile.optimizer: unknown optimizer \"Adm\"; did you mean \"Adam\""}},
      {compiled("loss = sparse_categorical_crossentropy\noptimizer = adam(lr=0.1)"),
       {"run.ini:16", "has no argument \"lr\"; did you mean \"learning_rate\""}},
      {compiled("loss = sparse_categorical_crossentropy\noptimizer = SGD(ExpDecay(0.1, 1, 2))"),
       {"run.ini:16", "did you mean \"ExponentialDecay\""}},
      {compiled("loss = sparse_categorical_crossentropy\noptimizer = SGD(clipnorm=1, clipvalue=1)"),
       {"run.ini:16: compile.optimizer: Only one of `clipnorm`"}},
      {compiled("loss = sparse_categorical_crossentropy\noptimizer = Muon()"),
       {"run.ini:16", "\"Muon\" of Keras is not supported"}},
      {compiled("loss = sparse_categorical_crossentropy\nmetrics = acuracy"),
       {"run.ini:16: compile.metrics: unknown metric \"acuracy\"; did you mean \"accuracy\""}},
      {compiled("loss = sparse_categorical_crossentropy\nmetrics = accuracy, AUC(curve=\"PQ\")"),
       {"run.ini:16: compile.metrics:", "Invalid AUC curve value"}},
      {compiled("loss = sparse_categorical_crossentropy\n[fit]\ncallback = EarlyStoping()"),
       {"run.ini:17: fit.callback: unknown callback \"EarlyStoping\"; did you mean \"EarlyStopping\""}},
      {compiled("loss = sparse_categorical_crossentropy\n[fit]\ncallback = RemoteMonitor()"),
       {"run.ini:17", "RemoteMonitor", "not supported"}},
      {compiled("loss = sparse_categorical_crossentropy\n[fit]\ncallback = EarlyStopping()"),
       {"run.ini:17: fit.callback: monitor = \"val_loss\" is not among the results: loss; for a val_ result "
        "give validation data"}},
      {compiled(
           "loss = sparse_categorical_crossentropy\n[fit]\ncallback = ReduceLROnPlateau(\"loss\", factor=2)"),
       {"run.ini:17: fit.callback: ReduceLROnPlateau does not support a factor >= 1.0"}}};
  for (const auto& [text, words] : cases) {
    const Outcome outcome = train(text);
    EXPECT_EQ(outcome.code, 2) << text << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << "\"" << word << "\" is not in\n"
                                                              << outcome.output;
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << "one message, not\n"
                                                                                 << outcome.output;
    EXPECT_FALSE(fs::exists(folder_ / "iris.h5"));
  }
}

TEST_F(KerasWords, AnEmptyValueUnsetsAKey) {
  const std::string text =
      std::string(kModel) + kCompile + "[fit]\ncallback = EarlyStopping()\nvalidation_split = 0.2\n";
  const Outcome as_it_stands = train(text);
  ASSERT_EQ(as_it_stands.code, 0) << as_it_stands.output;
  EXPECT_NE(as_it_stands.output.find("val_loss"), std::string::npos);
  for (const char* options :
       {"--fit.validation_split= --fit.callback=", "--fit.validation_split '' --fit.callback ''"}) {
    const Outcome outcome = train(text, options);
    EXPECT_EQ(outcome.code, 0) << options << outcome.output;
    EXPECT_EQ(outcome.output.find("val_loss"), std::string::npos) << options << outcome.output;
  }
  const Outcome in_the_file =
      train(std::string(kModel) + kCompile +
            "[fit]\ncallback =\nvalidation_split =   # none\nvalidation_freq =\n[data]\nvalidation_rows =\n");
  EXPECT_EQ(in_the_file.code, 0) << in_the_file.output;
  EXPECT_EQ(in_the_file.output.find("val_loss"), std::string::npos);
  const Outcome other_layers =
      train(text, "--fit.callback= --model.layer= --model.layer='Dense(3, activation=\"softmax\")'");
  EXPECT_EQ(other_layers.code, 0) << other_layers.output;
  const Outcome mistyped = train(text, "--fit.validation_splt=");
  EXPECT_EQ(mistyped.code, 2);
  EXPECT_NE(
      mistyped.output.find("unknown key \"fit.validation_splt\"; did you mean \"fit.validation_split\""),
      std::string::npos)
      << mistyped.output;
  const Outcome needed = train(text, "--compile.loss=");
  EXPECT_EQ(needed.code, 2);
  EXPECT_NE(needed.output.find("compile.loss is not set"), std::string::npos) << needed.output;
}

TEST_F(KerasWords, LearningRateScalingIsLoggedAndIsTheProduct) {
  const std::string text = std::string(kModel) + kCompile;
  const Outcome scaled =
      train(text, "--fit.batch_size=64 --fit.learning_rate_scaling=linear --checkpoint.path=scaled.h5");
  ASSERT_EQ(scaled.code, 0) << scaled.output;
  EXPECT_NE(
      scaled.output.find("Learning rate x 2 (linear scaling: batch_size 64 / reference_batch_size 32)\n"),
      std::string::npos)
      << scaled.output;
  ASSERT_EQ(
      train(text, "--fit.batch_size=64 --compile.optimizer='SGD(0.2)' --checkpoint.path=product.h5").code, 0);
  EXPECT_EQ(digest("scaled.h5"), digest("product.h5"));
  const Outcome warm = train(text,
                             "--fit.batch_size=128 --fit.learning_rate_scaling=sqrt "
                             "--fit.reference_batch_size=8 --fit.warmup_epochs=2 --checkpoint.path=warm.h5");
  ASSERT_EQ(warm.code, 0) << warm.output;
  EXPECT_NE(warm.output.find("Learning rate x 4 (sqrt scaling: batch_size 128 / reference_batch_size 8), "
                             "rising from x 1 over 2 epochs"),
            std::string::npos)
      << warm.output;
  EXPECT_NE(digest("warm.h5"), digest("scaled.h5"));
}

TEST_F(KerasWords, SampleWeightSupersedesClassWeightAndSaysSo) {
  std::string weights = "w\n";
  for (int row = 0; row < 150; ++row) weights += row % 3 == 0 ? "0.5\n" : "2\n";
  write("weights.csv", weights);
  const std::string text = std::string(kModel) + kCompile;
  const Outcome both =
      train(text, "--data.sample_weight=weights.csv --fit.class_weight=0:3 --checkpoint.path=both.h5");
  ASSERT_EQ(both.code, 0) << both.output;
  EXPECT_NE(both.output.find("data.sample_weight supersedes fit.class_weight"), std::string::npos)
      << both.output;
  ASSERT_EQ(train(text, "--data.sample_weight=weights.csv --checkpoint.path=one.h5").code, 0);
  ASSERT_EQ(train(text, "--fit.class_weight=0:3 --checkpoint.path=other.h5").code, 0);
  EXPECT_EQ(digest("both.h5"), digest("one.h5"));
  EXPECT_NE(digest("both.h5"), digest("other.h5"));
}

TEST_F(KerasWords, VerboseSaysAsMuchAsAsked) {
  const std::string text = std::string(kModel) + kCompile;
  EXPECT_EQ(train(text, "--fit.verbose=0").output.find("Epoch"), std::string::npos);
  const std::string two = train(text, "--fit.verbose=2").output;
  EXPECT_NE(two.find("Epoch 1/1\n5/5 - "), std::string::npos) << two;
  EXPECT_NE(train(text, "--fit.verbose=1").output.find("Epoch 1/1"), std::string::npos);
}

TEST_F(KerasWords, PredictWritesClassesNamesAndProbabilities) {
  ASSERT_EQ(train(std::string(kModel) + kCompile, "--fit.epochs=30").code, 0);
  ASSERT_EQ(run(0, "predict iris.h5 --data.inputs=iris.csv --data.rows=:1 --output=one.csv").code, 0);
  const std::string text = read("one.csv");
  EXPECT_EQ(text.rfind("class,class_name,setosa,versicolor,virginica\n0,setosa,0.", 0), 0U) << text;
}

}  // namespace
}  // namespace nntrain::cli_test
