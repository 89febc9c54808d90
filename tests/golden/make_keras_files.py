"""Writes keras_files/: small files as Keras writes them, and expected.json with what Keras computes from them. See
golden.py for how to run it. Files of Keras 2 are the same files with the words that Keras 2 wrote (field reports)."""
import json
import os
import shutil
import zipfile

import h5py
import numpy as np
from golden import HERE, keras

L = keras.layers
HOME = os.path.join(HERE, "keras_files")
EXPECTED = {}
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(24, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0.3)


def path(name):
    return os.path.join(HOME, name)


def note(name, model):
    """What `predict` has to give for the file."""
    EXPECTED[name] = np.asarray(model.predict(X, verbose=0), dtype="float64").round(8).tolist()


def plain():
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((4,)), L.Dense(5, activation="relu"), L.BatchNormalization(),
                              L.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0, shuffle=False)
    return model


def compiled(model, optimizer="sgd"):
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def save(model, name, *endings):
    for ending in endings:
        file = path(name + ending)
        if ending == ".json":
            with open(file, "w") as out:
                out.write(model.to_json())
        elif ending == ".weights.h5":
            model.save_weights(file)
        else:
            model.save(file)
        if ending in (".keras", ".h5"):
            note(name + ending, model)


def edit(source, target, change):
    """A copy of a legacy .h5 with another training_config or model_config."""
    shutil.copy(path(source), path(target))
    with h5py.File(path(target), "a") as file:
        for attribute in ("model_config", "training_config"):
            value = json.loads(file.attrs[attribute])
            value = change(attribute, value) or value
            file.attrs[attribute] = json.dumps(value)
    EXPECTED[target] = EXPECTED[source]


def models():
    model = plain()
    save(model, "plain", ".keras", ".h5", ".weights.h5", ".json")
    loss, accuracy = model.evaluate(X, Y, batch_size=8, verbose=0)
    EXPECTED["plain: evaluate"] = [loss, accuracy]

    keras.backend.clear_session()
    keras.utils.set_random_seed(4)
    inputs = keras.Input((4,))
    x = L.Dense(6, activation="gelu", name="first")(inputs)
    x = L.Dropout(0.25)(x)
    model = compiled(keras.Model(inputs, L.Dense(3, activation="softmax", name="last")(x), name="chain"))
    save(model, "functional", ".keras", ".h5", ".weights.h5", ".json")

    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    inner = keras.Sequential([L.Dense(5), L.BatchNormalization(), L.Dense(4, activation="relu")], name="inner")
    model = compiled(keras.Sequential([keras.Input((4,)), L.Dense(5, activation="tanh", name="dense"), inner,
                                       L.GaussianNoise(0.1), L.Dense(3, activation="softmax")]), "adam")
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    save(model, "nested", ".keras", ".h5")

    keras.backend.clear_session()
    keras.utils.set_random_seed(6)
    norm = L.Normalization()
    norm.adapt(X)
    model = compiled(keras.Sequential([keras.Input((4,)), norm, L.Dense(3, activation="softmax")]))
    save(model, "normalized", ".keras", ".h5")


def continuations():
    """Two epochs in Keras, then two more: the file after two, predictions and loss after four."""
    makers = {"sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9), "adam": lambda: keras.optimizers.Adam(0.01),
              "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
              "nadam": lambda: keras.optimizers.Nadam(0.01),
              "adagrad": lambda: keras.optimizers.Adagrad(0.1), "adadelta": lambda: keras.optimizers.Adadelta(1.0),
              "adamax": lambda: keras.optimizers.Adamax(0.01), "ftrl": lambda: keras.optimizers.Ftrl(0.1),
              "lion": lambda: keras.optimizers.Lion(0.001),
              "amsgrad": lambda: keras.optimizers.Adam(
                  keras.optimizers.schedules.ExponentialDecay(0.02, 4, 0.8), amsgrad=True)}
    for name, make in makers.items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(8)
        model = keras.Sequential([keras.Input((4,)), L.Dense(5, activation="tanh"), L.BatchNormalization(momentum=0.9),
                                  L.Dense(3, activation="softmax")])
        model.compile(make(), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0, shuffle=False)
        model.save(path(f"go_on_{name}.keras"))
        if name in ("sgd", "adam", "rmsprop"):
            model.save(path(f"go_on_{name}.h5"))
        history = model.fit(X, Y, epochs=4, initial_epoch=2, batch_size=8, verbose=0, shuffle=False).history
        EXPECTED[f"go_on_{name}"] = {"predictions": model.predict(X, verbose=0).astype("float64").tolist(),
                                     "loss": history["loss"], "accuracy": history["accuracy"]}


def words_of_keras_2():
    def reduction_auto(attribute, value):
        if attribute == "training_config":
            value["loss"] = {"class_name": "SparseCategoricalCrossentropy", "config": {
                "reduction": "auto", "name": "sparse_categorical_crossentropy", "from_logits": False,
                "ignore_class": None}}
            value["metrics"] = [[{"class_name": "MeanMetricWrapper", "config": {
                "name": "accuracy", "dtype": "float32", "fn": "sparse_categorical_accuracy"}}]]
            value["optimizer_config"] = {"class_name": "Custom>SGD", "config": {
                "name": "SGD", "learning_rate": 0.1, "decay": 0.0, "momentum": 0.9, "nesterov": False,
                "jit_compile": True, "is_legacy_optimizer": False}}
    edit("plain.h5", "tensorflow_2.h5", reduction_auto)

    def unknown_loss(attribute, value):
        if attribute == "training_config":
            value["loss"] = "my_loss"
    edit("plain.h5", "unknown_loss.h5", unknown_loss)

    def loss_weights(attribute, value):
        if attribute == "training_config":
            value["loss_weights"] = [2.0]
    edit("plain.h5", "loss_weights.h5", loss_weights)

    def no_loss_name(attribute, value):
        if attribute == "training_config":
            value["loss"], value["metrics"] = {"dense_1": "sparse_categorical_crossentropy"}, {"dense_1": ["accuracy"]}
    edit("plain.h5", "by_output.h5", no_loss_name)


def refused():
    @keras.saving.register_keras_serializable("pkg")
    class Dense(L.Dense):
        pass

    @keras.saving.register_keras_serializable("pkg", name="relu")
    def my_relu(x):
        return x

    keras.backend.clear_session()
    compiled(keras.Sequential([keras.Input((4,)), Dense(3, name="mine")])).save(path("custom_layer.h5"))
    compiled(keras.Sequential([keras.Input((4,)), Dense(3, name="mine")])).save(path("custom_layer.keras"))
    compiled(keras.Sequential([keras.Input((4,)), L.Dense(3, activation=my_relu, name="second")])).save(
        path("custom_activation.keras"))
    compiled(keras.Sequential([keras.Input((4,)), L.Lambda(lambda x: x * 2, name="doubled"), L.Dense(3)])).save(
        path("lambda.keras"))
    inputs = keras.Input((4,))
    shared = L.Dense(4, name="shared")
    compiled(keras.Model(inputs, shared(shared(inputs)))).save(path("shared.keras"))
    x = L.Dense(4, name="left")(inputs)
    compiled(keras.Model(inputs, L.Add(name="sum")([x, inputs]))).save(path("branches.keras"))
    keras.backend.clear_session()
    half = keras.Sequential([keras.Input((4,)), L.Dense(3, dtype="bfloat16", name="half")])
    compiled(half).save(path("bfloat16.keras"))

    whole = path("plain.keras")
    with zipfile.ZipFile(whole) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}

    def archive(name, contents, method=zipfile.ZIP_STORED):
        with zipfile.ZipFile(path(name), "w", method) as out:
            for entry, content in contents.items():
                out.writestr(entry, content)
    archive("bomb.keras", {**entries, "model.weights.h5": bytes(32 << 20)}, zipfile.ZIP_DEFLATED)
    archive("climbs.keras", {**entries, "../../evil": b"x"})
    archive("no_weights.keras", {"config.json": entries["config.json"]})
    archive("deep.keras", {**entries, "config.json": b'{"config":' * 5000 + b"1" + b"}" * 5000})
    archive("deflated.keras", entries, zipfile.ZIP_DEFLATED)
    EXPECTED["deflated.keras"] = EXPECTED["plain.keras"]
    with open(whole, "rb") as file, open(path("truncated.keras"), "wb") as out:
        out.write(file.read()[:-200])
    shutil.copy(path("plain.h5"), path("weightless.h5"))
    with h5py.File(path("weightless.h5"), "a") as file:
        file["model_weights/dense_1"].attrs["weight_names"] = np.array([], dtype="S1")


if __name__ == "__main__":
    shutil.rmtree(HOME, ignore_errors=True)
    os.makedirs(HOME)
    np.save(path("inputs.npy"), X)
    np.save(path("targets.npy"), Y)
    models()
    continuations()
    words_of_keras_2()
    refused()
    with open(path("expected.json"), "w") as out:
        json.dump({"keras": keras.__version__, **EXPECTED}, out)
