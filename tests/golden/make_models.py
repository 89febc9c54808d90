"""Writes model_configs.json (what Keras writes about whole models) and errors.json (its words for wrong shapes and
arguments). See golden.py for how to run it."""
import json
import os
import re
import tempfile

import h5py
import numpy as np
from golden import HERE, keras, namespace

NAMES = namespace(keras.layers)

MODELS = {
    "fashion_mnist": ((28, 28), ["Flatten()", 'Dense(500, activation="relu")', 'Dense(500, activation="relu")',
                                 'Dense(500, activation="relu")', 'Dense(500, activation="relu")',
                                 'Dense(10, activation="softmax")']),
    "regularized": ((20,), ['Dense(16, activation="relu", kernel_regularizer=L2(0.01), kernel_constraint=MaxNorm(2.0))',
                            "BatchNormalization(momentum=0.9)", "Dropout(0.3)",
                            'Dense(8, activation="selu", kernel_initializer="lecun_normal", bias_regularizer=L1(0.001))',
                            "LayerNormalization()", 'Dense(1, activation="sigmoid", use_bias=False)']),
    "normalized": ((5,), ["Normalization()", 'Dense(4, activity_regularizer=L1L2(0.01, 0.02))', "PReLU()",
                          "GaussianNoise(0.1)", 'Dense(1, activation="softplus", name="out")']),
    "rank3": ((3, 4), ['Dense(6, activation="gelu", trainable=False)', "UnitNormalization()", "Reshape((6, 3))",
                       'Dense(2)', "Flatten()", "RMSNormalization()", "Dense(3)", "Softmax()"]),
    "activations": ((4,), ["Rescaling(0.5, offset=-1.0)", "Dense(4)", "LeakyReLU(negative_slope=0.2)", "Dense(4)",
                           "ELU(alpha=0.5)", "Dense(4)", "ReLU(max_value=6.0)", 'Activation("tanh")', "AlphaDropout(0.1)",
                           "GaussianDropout(0.2)", "ActivityRegularization(l2=0.01)", "Identity()",
                           "Dense(2, kernel_initializer=VarianceScaling(2.0, \"fan_out\", \"uniform\"))"]),
    "perceptron": ((2,), ['Dense(1, kernel_initializer="zeros")']),
    "named": ((8,), ['Dense(8, "relu", name="hidden")', "BatchNormalization(axis=-1, scale=False)",
                     'Dense(4, kernel_regularizer=OrthogonalRegularizer(0.01), kernel_initializer=Orthogonal(0.5))',
                     'Dense(2, "softmax", kernel_constraint=MinMaxNorm(0.5, 1.0, 0.9), bias_constraint=NonNeg())']),
}


def build(input_shape, specs, name="sequential"):
    keras.backend.clear_session()
    return keras.Sequential([keras.Input(input_shape)] + [eval(spec, NAMES) for spec in specs], name=name)


def text(name):
    return name.decode() if isinstance(name, bytes) else str(name)


def describe(name, input_shape, specs):
    model = build(input_shape, specs)
    lines = []
    model.summary(print_fn=lambda text, line_break=False: lines.append(text))
    count = lambda weights: int(sum(np.prod(w.shape) for w in weights))
    compiled = build(input_shape, specs)
    compiled.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss="mse", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        compiled.save(path)
        with h5py.File(path) as file:
            layout = {"root_attributes": sorted(file.attrs), "training_config": json.loads(file.attrs["training_config"]),
                      "layer_names": [text(n) for n in file["model_weights"].attrs["layer_names"]],
                      "weight_names": {g: [text(n) for n in file["model_weights"][g].attrs.get("weight_names", [])]
                                       for g in file["model_weights"]}}
    return {"name": name, "input_shape": list(input_shape), "layers": specs, "model_config": json.loads(model.to_json()),
            "weights": [{"path": w.path, "shape": list(w.shape), "trainable": bool(w.trainable)} for w in model.weights],
            "param_counts": {"total": count(model.weights), "trainable": count(model.trainable_weights),
                             "non_trainable": count(model.non_trainable_weights)},
            "summary": "\n".join(lines), "h5": layout}


def message_of(function):
    try:
        function()
    except Exception as error:  # noqa: BLE001 - every kind is wanted
        return {"type": type(error).__name__, "message": re.sub("\x1b\\[[0-9]*m", "", str(error))}
    return {"type": None, "message": None}


def errors():
    cases = []

    def add(name, input_shape, specs, function):
        cases.append({"name": name, "input_shape": list(input_shape), "layers": specs, **message_of(function)})

    def calls(name, input_shape, specs, x):
        add(name, input_shape, specs, lambda: build(input_shape, specs)(np.zeros(x, np.float32)))

    calls("model called with too few features", (784,), ["Dense(10)"], (32, 783))
    calls("model called with a missing axis", (28, 28), ["Flatten()", "Dense(10)"], (32, 784))
    add("layer called with too few features", (784,), ["Dense(10)"],
        lambda: build((784,), ["Dense(10)"]).layers[0](np.zeros((32, 783), np.float32)))

    def fit(specs, x, y, loss):
        def run():
            model = build(x[1:], specs)
            model.compile("sgd", loss)
            model.fit(np.zeros(x, np.float32), np.zeros(y, np.float32), verbose=0)
        return run

    for name, specs, x, y, loss in (
            ("mse target too wide", ["Dense(3)"], (8, 4), (8, 5), "mse"),
            ("categorical target too narrow", ['Dense(3, "softmax")'], (8, 4), (8, 2), "categorical_crossentropy"),
            ("categorical target with indices", ['Dense(3, "softmax")'], (8, 4), (8,), "categorical_crossentropy"),
            ("sparse target with two columns", ['Dense(3, "softmax")'], (8, 4), (8, 2), "sparse_categorical_crossentropy"),
            ("binary target with two columns", ['Dense(1, "sigmoid")'], (8, 4), (8, 2), "binary_crossentropy"),
            ("lengths differ", ["Dense(1)"], (10, 4), (9, 1), "mse"),
            ("unknown loss", ["Dense(1)"], (10, 4), (10, 1), "means_squared_error")):
        add(name, x[1:], specs, fit(specs, x, y, loss))
    def both_weights():
        model = build((4,), ["Dense(1)"])
        model.compile("sgd", "mse")
        model.fit(np.zeros((8, 4)), np.zeros((8, 1)), sample_weight=np.ones(8), class_weight={0: 1.0}, verbose=0)

    add("class_weight and sample_weight", (4,), ["Dense(1)"], both_weights)
    for shape, spec in (((4,), "Dense(0)"), ((4,), "Dense(-3)"), ((4,), 'Dense(3, activation="rellu")'),
                        ((4,), "Dense(3, unit=4)"), ((4,), 'Dense(3, kernel_initializer="glorot")'),
                        ((4,), 'Dense(3, kernel_regularizer="l3")'), ((4,), 'Dense(3, kernel_constraint="maxnorm")'),
                        ((), "Dense(3)"), ((4,), "Dropout(1.5)"), ((4,), "Dropout(-0.1)"), ((4,), "GaussianNoise(2.0)"),
                        ((6,), "Reshape((4, 2))"), ((6,), "Reshape((-1, 4))"), ((4,), "BatchNormalization(axis=3)"),
                        ((4,), "Normalization(mean=1.0)"), ((4,), "ReLU(threshold=-0.7)"), ((4,), "ReLU(max_value=-1.0)"),
                        ((4,), "LeakyReLU(negative_slope=None)"), ((4,), "Softmax(axis=5)"), ((4,), "Dense()")):
        add(spec, shape, [spec], lambda: build(shape, [spec]))
    for spec in ("SGD(momentum=2.0)", "SGD(0.1, clipnorm=1.0, clipvalue=1.0)", "Adam(lr=0.1)", "SGD(clipnorm=-1.0)",
                 "SGD(use_ema=True, ema_momentum=1.5)", "SGD(gradient_accumulation_steps=1)", "SGD(1)",
                 "CosineDecayRestarts(0.1, 0)", "PiecewiseConstantDecay([1, 2], [0.1, 0.2])",
                 "SGD(use_ema=True, ema_overwrite_frequency=0)"):
        add(spec, (), [], lambda: eval(spec, namespace(keras.optimizers)))
    return cases


def write(name, cases):
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        json.dump({"keras": keras.__version__, "cases": cases}, file, indent=1)
        file.write("\n")
    print(f"{name}.json: {len(cases)} cases, {os.path.getsize(file.name) // 1024} KiB")


os.environ["COLUMNS"] = "80"
keras.utils.disable_interactive_logging()
write("model_configs", [describe(name, *model) for name, model in MODELS.items()])
write("errors", errors())
