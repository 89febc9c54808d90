"""A case for every word of `nntrain-dist vocabulary` that a Keras file can hold: a small model, its loss, optimizer and
metrics. cases() fails when the program knows a word that has none here.

A word's cases: what is asked of Keras to know the file (kind, name), the layers before the last Dense or all of them,
loss, target, optimizer, metrics. Keras without the word (an older version) is not asked to open the file."""
import re
from dataclasses import dataclass, field

KINDS = {"Layers": "layer", "Activations": "activation", "Initializers": "initializer", "Regularizers": "regularizer",
         "Constraints": "constraint", "Losses": "loss", "Metrics": "metric", "Optimizers": "optimizer",
         "Learning-rate schedules": "schedule"}
HEAD = 'Dense(3, activation="softmax")'
BODY = 'Dense(8, activation="tanh")'
INPUTS = 4


@dataclass
class Case:
    kind: str
    name: str
    text: str                      # what the row of the table says
    layers: list
    loss: str = "sparse_categorical_crossentropy"
    target: str = "class"          # class, onehot, value, values, positive, binary, sign, embedding
    optimizer: str = "SGD(0.05)"
    metrics: list = field(default_factory=lambda: ["accuracy"])
    random: bool = False           # training draws numbers: one more epoch cannot agree
    formats: tuple = ("h5", "keras", "json", "weights.h5", "npz", "onnx")
    epoch: bool = True
    state: bool = True             # the .keras holds the optimizer's state
    inputs: str = "numbers"        # or indices: whole numbers from 0 to 5; or words
    needs: str = ""                # a Python package that Keras itself needs for the layer


# name: layers between BODY and HEAD, one list a case
LAYERS = {
    "Input": None, "Dense": [["Dense(5, use_bias=False)"], ["Dense(5, trainable=False)"], ['Dense(5, "relu")', "Dense(4)"]],
    "Flatten": [["Reshape((2, 4))", "Flatten()"]],
    "Reshape": [["Reshape((2, 2, 2))", "Reshape((4, -1))", "Dense(3)", "Flatten()"]],
    "Permute": [["Reshape((2, 4))", "Permute((2, 1))", "Dense(3)", "Flatten()"]],
    "RepeatVector": [["RepeatVector(2)", "Flatten()"]], "Identity": [["Identity()"]], "Activation": [['Activation("tanh")']],
    "ReLU": [["ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)"], ["ReLU()"]], "LeakyReLU": [["LeakyReLU(0.2)"], ["LeakyReLU()"]],
    "ELU": [["ELU(0.5)"]],
    "PReLU": [["PReLU(alpha_initializer=RandomUniform(0.1, 0.3))"], ["Reshape((2, 4))", "PReLU(shared_axes=[1])", "Flatten()"]],
    "Softmax": [["Softmax()"], ["Reshape((2, 4))", "Softmax(axis=1)", "Flatten()"], ["Reshape((2, 4))", "Softmax(axis=[1, 2])", "Flatten()"]],
    "Rescaling": [["Rescaling(0.5, offset=0.1)"]], "Dropout": [["Dropout(0.2)"]], "AlphaDropout": [["AlphaDropout(0.1)"]],
    "GaussianNoise": [["GaussianNoise(0.1)"]], "GaussianDropout": [["GaussianDropout(0.1)"]],
    "BatchNormalization": [["BatchNormalization()"], ["BatchNormalization(scale=False, center=False, momentum=0.8)"],
                           ["Reshape((2, 4))", "BatchNormalization(axis=1)", "Flatten()"]],
    "LayerNormalization": [["LayerNormalization()"], ["Reshape((2, 4))", "LayerNormalization(axis=[1, 2])", "Flatten()"],
                           ["LayerNormalization(center=False, scale=False)"]],
    "RMSNormalization": [["RMSNormalization()"], ["Reshape((2, 4))", "RMSNormalization(axis=[1, 2])", "Flatten()"]],
    "UnitNormalization": [["UnitNormalization()"], ["Reshape((2, 4))", "UnitNormalization(axis=[1, 2])", "Flatten()"]],
    "GroupNormalization": [["GroupNormalization(groups=2)"], ["Reshape((2, 4))", "GroupNormalization(groups=2)", "Flatten()"]],
    "ActivityRegularization": [["ActivityRegularization(l1=0.01, l2=0.01)"]],
    "Normalization": None, "Embedding": None, "CategoryEncoding": None, "Discretization": None, "Hashing": None, "IntegerLookup": None,
    "StringLookup": None,
}
WHOLE_LAYERS = {  # whole models
    "Input": [["Input((4,))", BODY, HEAD]],
    "Normalization": [["Normalization()", HEAD], ["Normalization(mean=0.5, variance=2.0)", HEAD],
                      ["Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])", HEAD],
                      ["Normalization(axis=None)", HEAD], ["Normalization(mean=0.5, variance=2.0, invert=True)", HEAD]],
    "Discretization": [["Discretization(bin_boundaries=[-0.5, 0.1, 0.7])", HEAD], ["Discretization(num_bins=4)", HEAD]],
}
INDEX_LAYERS = {  # the same, whose inputs are whole numbers
    "Embedding": [["Embedding(6, 5)", "Flatten()", HEAD]],
    "CategoryEncoding": [['CategoryEncoding(6, output_mode="multi_hot")', HEAD], ['CategoryEncoding(6, output_mode="count")', HEAD]],
    "Hashing": [["Hashing(5)", HEAD], ["Hashing(5, salt=7)", HEAD]],
    "IntegerLookup": [["IntegerLookup(vocabulary=[0, 2, 3])", HEAD],
                      ['IntegerLookup(vocabulary=[0, 2, 3], output_mode="multi_hot", num_oov_indices=2)', HEAD]],
}
WORD_LAYERS = {  # the same, whose inputs are words
    "Hashing": [['Input((4,), dtype="string")', "Hashing(5)", HEAD]],
    "StringLookup": [['StringLookup(vocabulary=["oak", "yew", "fir"])', HEAD],
                     ['StringLookup(output_mode="multi_hot", num_oov_indices=2, mask_token="elm", max_tokens=5)', HEAD]],
}
NEEDS_TENSORFLOW = {"Hashing", "IntegerLookup", "StringLookup"}
RANDOM_LAYERS = {"Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout"}
ACTIVATION_CALLS = {"ReLU": "ReLU(max_value=2.0, negative_slope=0.1)", "LeakyReLU": "LeakyReLU(0.2)", "ELU": "ELU(0.5)",
                    "relu": '"relu"'}
INITIALIZERS = {"Constant": "Constant(0.1)", "VarianceScaling": 'VarianceScaling(2.0, "fan_out", "uniform")',
                "RandomNormal": "RandomNormal(0.1, 0.2, seed=3)", "Orthogonal": "Orthogonal(0.9)"}
REGULARIZERS = {"L1": ["L1(0.02)"], "L2": ["L2(0.02)"], "L1L2": ["L1L2(0.01, 0.02)"],
                "OrthogonalRegularizer": ["OrthogonalRegularizer(0.02)", 'OrthogonalRegularizer(0.02, mode="columns")']}
CONSTRAINTS = {"MaxNorm": ["MaxNorm(0.7)"], "NonNeg": ["NonNeg()"], "UnitNorm": ["UnitNorm()"], "MinMaxNorm": ["MinMaxNorm(0.5, 1.0, 0.9)"]}
# name: (calls, activation of the last layer, target)
LOSSES = {
    "MeanSquaredError": (["mean_squared_error", 'MeanSquaredError(reduction="sum")'], "linear", "value"),
    "MeanAbsoluteError": (["MeanAbsoluteError()"], "linear", "value"),
    "MeanAbsolutePercentageError": (["MeanAbsolutePercentageError()"], "linear", "value"),
    "MeanSquaredLogarithmicError": (["MeanSquaredLogarithmicError()"], "softplus", "positive"),
    "Huber": (["Huber(delta=0.5)", "huber"], "linear", "value"), "LogCosh": (["LogCosh()"], "linear", "value"),
    "Poisson": (["Poisson()"], "softplus", "positive"), "KLDivergence": (["KLDivergence()"], "softmax", "onehot"),
    "SparseCategoricalCrossentropy": (["sparse_categorical_crossentropy", "SparseCategoricalCrossentropy(ignore_class=2)"], "softmax", "class"),
    "CategoricalCrossentropy": (["categorical_crossentropy", "CategoricalCrossentropy(label_smoothing=0.1)"], "softmax", "onehot"),
    "CategoricalFocalCrossentropy": (["CategoricalFocalCrossentropy()"], "softmax", "onehot"),
    "BinaryCrossentropy": (["binary_crossentropy", "BinaryCrossentropy(label_smoothing=0.1)"], "sigmoid", "binary"),
    "BinaryFocalCrossentropy": (["BinaryFocalCrossentropy(apply_class_balancing=True)"], "sigmoid", "binary"),
    "CategoricalGeneralizedCrossEntropy": (["CategoricalGeneralizedCrossEntropy(q=0.4)"], "softmax", "class"),
    "Perceptron": (["Perceptron()"], "linear", "sign"),
    "Hinge": (["Hinge()"], "linear", "binary"), "SquaredHinge": (["SquaredHinge()"], "linear", "sign"),
    "CategoricalHinge": (["CategoricalHinge()"], "linear", "onehot"),
    "CosineSimilarity": (["CosineSimilarity()"], "linear", "onehot"),
    "Dice": (["Dice()", "Dice(axis=-1)"], "softmax", "onehot"), "Tversky": (["Tversky(alpha=0.3, beta=0.7)"], "softmax", "onehot"),
    "Circle": (["Circle(gamma=8.0)"], "embedding", "class"),
}
LOGITS = {"SparseCategoricalCrossentropy": "class", "CategoricalCrossentropy": "onehot", "CategoricalFocalCrossentropy": "onehot",
          "BinaryCrossentropy": "binary", "BinaryFocalCrossentropy": "binary"}
# name: (calls, target); the loss comes from the target
METRICS = {
    "BinaryAccuracy": (["BinaryAccuracy(threshold=0.4)", "accuracy"], "binary"),
    "TopKCategoricalAccuracy": (["TopKCategoricalAccuracy(k=2)"], "onehot"),
    "SparseTopKCategoricalAccuracy": (["SparseTopKCategoricalAccuracy(k=2)"], "class"),
    "BinaryCrossentropy": (["BinaryCrossentropy(label_smoothing=0.1)"], "binary"),
    "CategoricalCrossentropy": (["CategoricalCrossentropy()"], "onehot"),
    "SparseCategoricalCrossentropy": (["sparse_categorical_crossentropy"], "class"),
    "MeanSquaredError": (["mse", "MeanSquaredError()"], "value"), "RootMeanSquaredError": (["RootMeanSquaredError()"], "value"),
    "MeanAbsoluteError": (["mae"], "value"), "MeanAbsolutePercentageError": (["MeanAbsolutePercentageError()"], "value"),
    "MeanSquaredLogarithmicError": (["MeanSquaredLogarithmicError()"], "positive"), "LogCoshError": (["LogCoshError()"], "value"),
    "CosineSimilarity": (["CosineSimilarity()"], "values"), "KLDivergence": (["KLDivergence()"], "onehot"),
    "Poisson": (["Poisson()"], "positive"), "Accuracy": (["Accuracy()"], "value"),
    "CategoricalAccuracy": (["CategoricalAccuracy()", "accuracy"], "onehot"),
    "SparseCategoricalAccuracy": (["SparseCategoricalAccuracy()", "accuracy"], "class"),
    "Hinge": (["Hinge()"], "sign"), "SquaredHinge": (["SquaredHinge()"], "sign"), "CategoricalHinge": (["CategoricalHinge()"], "onehot"),
    "Precision": (["Precision()", "Precision(thresholds=[0.3, 0.6])"], "binary"), "Recall": (["Recall(thresholds=0.4)"], "binary"),
    "TruePositives": (["TruePositives()"], "binary"), "TrueNegatives": (["TrueNegatives()"], "binary"),
    "FalsePositives": (["FalsePositives()"], "binary"), "FalseNegatives": (["FalseNegatives()"], "binary"),
    "PrecisionAtRecall": (["PrecisionAtRecall(0.5)"], "binary"), "RecallAtPrecision": (["RecallAtPrecision(0.5)"], "binary"),
    "SensitivityAtSpecificity": (["SensitivityAtSpecificity(0.5)"], "binary"),
    "SpecificityAtSensitivity": (["SpecificityAtSensitivity(0.5)"], "binary"),
    "AUC": (["AUC()", 'AUC(curve="PR")', 'AUC(num_thresholds=20, summation_method="majoring")'], "binary"),
    "F1Score": (['F1Score(average="macro")'], "onehot"), "FBetaScore": (['FBetaScore(average="micro", beta=2.0)'], "onehot"),
    "R2Score": (["R2Score()"], "value"),
    "IoU": (["IoU(2, target_class_ids=[1], sparse_y_pred=True)"], "binary01"), "MeanIoU": (["MeanIoU(3, sparse_y_pred=False)"], "class"),
    "OneHotIoU": (["OneHotIoU(3, target_class_ids=[0, 2])"], "onehot"), "OneHotMeanIoU": (["OneHotMeanIoU(3)"], "onehot"),
    "BinaryIoU": (["BinaryIoU(threshold=0.4)"], "binary"),
    "PearsonCorrelation": (["PearsonCorrelation()"], "values"), "ConcordanceCorrelation": (["ConcordanceCorrelation()"], "values"),
}
OPTIMIZERS = {
    "SGD": ["SGD(0.05)", "SGD(0.05, momentum=0.9, nesterov=True)", "SGD(0.05, clipnorm=1.0)", "SGD(0.05, clipvalue=0.02)",
            "SGD(0.05, global_clipnorm=1.0, weight_decay=0.01)", "SGD(0.05, momentum=0.9, gradient_accumulation_steps=2)"],
    "Adam": ["Adam(0.01)", "Adam(0.01, amsgrad=True)", "Adam(0.01, use_ema=True, ema_momentum=0.9)"], "AdamW": ["AdamW(0.01)"],
    "Nadam": ["Nadam(0.01)"], "Adamax": ["Adamax(0.01)"], "Lion": ["Lion(0.001)"],
    "RMSprop": ["RMSprop(0.01)", "RMSprop(0.01, momentum=0.5, centered=True)"], "Adagrad": ["Adagrad(0.1)"], "Adadelta": ["Adadelta(1.0)"],
    "Ftrl": ["Ftrl(0.1)", "Ftrl(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.01)"],
    "Adafactor": ["Adafactor(0.01)"], "LARS": ["LARS(0.1)"], "LAMB": ["LAMB(0.01)"],
}
WITHOUT_STATE = {"Adafactor"}  # a NOTE of the export says so: in Keras it starts as new
SCHEDULES = {
    "ExponentialDecay": ["SGD(ExponentialDecay(0.1, 10, 0.9), momentum=0.9)", "SGD(ExponentialDecay(0.1, 4, 0.5, staircase=True))"],
    "InverseTimeDecay": ["SGD(InverseTimeDecay(0.1, 10, 0.5))"], "PiecewiseConstantDecay": ["Adam(PiecewiseConstantDecay([5, 10], [0.1, 0.01, 0.001]))"],
    "PolynomialDecay": ["SGD(PolynomialDecay(0.1, 50))", "SGD(PolynomialDecay(0.1, 4, power=2.0, cycle=True))"],
    "CosineDecay": ["Adam(CosineDecay(0.1, 50))", "SGD(CosineDecay(0.01, 20, warmup_target=0.1, warmup_steps=4))"],
    "CosineDecayRestarts": ["SGD(CosineDecayRestarts(0.1, 4))"],
}
# What a loss and its last layer are for a metric's target
FOR_TARGET = {"class": ("sparse_categorical_crossentropy", "softmax"), "onehot": ("categorical_crossentropy", "softmax"),
              "value": ("mean_squared_error", "linear"), "values": ("mean_squared_error", "linear"), "positive": ("mean_squared_error", "softplus"),
              "binary": ("binary_crossentropy", "sigmoid"), "binary01": ("binary_crossentropy", "sigmoid"), "sign": ("hinge", "linear")}
UNITS = {"class": 3, "onehot": 3, "values": 3}


def words_of(text):
    """{kind: [name]} of what `nntrain-dist vocabulary` prints."""
    words, kind = {}, None
    for line in text.splitlines():
        if line.startswith("## "):
            kind = KINDS.get(line[3:].strip())
        elif kind and (found := re.match(r"\| `(\w+)` \|", line)):
            words.setdefault(kind, []).append(found[1])
    return words


def last(target, activation):
    return f'Dense({UNITS.get(target, 1)}, activation="{activation}")'


def layer_cases(name):
    for layers in LAYERS.get(name) or []:
        yield Case("layer", name, ", ".join(layers), [BODY, *layers, HEAD], random=name in RANDOM_LAYERS)
    for layers in WHOLE_LAYERS.get(name, []):
        yield Case("layer", name, layers[0], layers)
    for layers in INDEX_LAYERS.get(name, []):
        yield Case("layer", name, layers[0], layers, inputs="indices", needs="tensorflow" if name in NEEDS_TENSORFLOW else "")
    for layers in WORD_LAYERS.get(name, []):
        yield Case("layer", name, ", ".join(layers[:-1]), layers, inputs="words", needs="tensorflow")


def activation_cases(name):
    call = ACTIVATION_CALLS.get(name, f'"{name}"')
    if name == "glu":  # halves the axis, which in Keras only the last layer may do
        yield Case("activation", name, name, ["Dense(6)", 'Activation("glu")'], "mean_squared_error", "onehot", metrics=["mse"])
    else:
        yield Case("activation", name, call.strip('"'), [f"Dense(8, activation={call})", HEAD])


def loss_cases(name):
    calls, activation, target = LOSSES[name]
    for call in calls:
        end = ["Dense(3)", "UnitNormalization()"] if activation == "embedding" else [last(target, activation)]
        yield Case("loss", name, call, [BODY, *end], call, target, optimizer="SGD(0.02)", metrics=[], formats=("h5", "keras"))
    if name in LOGITS:
        call = name + "(from_logits=True)"
        yield Case("loss", name, call, [BODY, last(LOGITS[name], "linear")], call, LOGITS[name], optimizer="SGD(0.02)", metrics=[],
                   formats=("h5", "keras"))


def metric_cases(name):
    calls, target = METRICS[name]
    loss, activation = FOR_TARGET[target]
    for call in calls:
        yield Case("metric", name, call, [BODY, last(target, activation)], loss, target, metrics=[call], formats=("h5", "keras"), epoch=False)


def simple(kind, table, make):
    def cases(name):
        for call in table[name]:
            yield make(kind, name, call)
    return cases


def optimizer_case(kind, name, call):
    return Case(kind, name, call, [BODY, HEAD], optimizer=call, formats=("h5", "keras"), state=name not in WITHOUT_STATE)


def initializer_cases(name):
    call = INITIALIZERS.get(name, name + "()")
    yield Case("initializer", name, call, [f"Dense(8, kernel_initializer={call})", HEAD], formats=("h5", "keras", "json"), epoch=False)


def weight_case(argument):
    return lambda kind, name, call: Case(kind, name, call, [BODY, f"Dense(5, kernel_{argument}={call}, bias_{argument}=" +
                                         ("NonNeg()" if argument == "constraint" else "L2(0.1)") + ")", HEAD], formats=("h5", "keras"))


MAKERS = {"layer": (layer_cases, {n for n in LAYERS}), "activation": (activation_cases, None), "initializer": (initializer_cases, None),
          "regularizer": (simple("regularizer", REGULARIZERS, weight_case("regularizer")), set(REGULARIZERS)),
          "constraint": (simple("constraint", CONSTRAINTS, weight_case("constraint")), set(CONSTRAINTS)),
          "loss": (loss_cases, set(LOSSES)), "metric": (metric_cases, set(METRICS)),
          "optimizer": (simple("optimizer", OPTIMIZERS, optimizer_case), set(OPTIMIZERS)),
          "schedule": (simple("schedule", SCHEDULES, optimizer_case), set(SCHEDULES))}


def cases(vocabulary):
    """Every case; `vocabulary`: what the program prints."""
    found = []
    for kind, names in words_of(vocabulary).items():
        make, known = MAKERS[kind]
        missing = [name for name in names if known is not None and name not in known]
        if missing:
            raise SystemExit(f"tests/interop/vocabulary.py has no case for the {kind} {', '.join(missing)}")
        for name in names:
            found += make(name)
    return found
