"""Keras on JAX, one case of vocabulary.py after another: a JSON line in, a JSON line out. Layers, losses and the like are
written as in Keras, so they are evaluated as they stand."""
import json
import os
import statistics
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

folder, batch, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = {name: np.load(f"{folder}/vocabulary_{name}.npy") for name in ("inputs", "labels", "one_hot")}


class Epochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def names_of(*modules):
    return {name: getattr(module, name) for module in modules for name in dir(module) if not name.startswith("_")}


def milliseconds(case):
    keras.backend.clear_session()
    layers = names_of(keras.constraints, keras.regularizers, keras.layers)
    model = keras.Sequential([keras.Input((784,))] + [eval(text, layers) for text in case["layers"]])
    model.compile(loss=eval(case["loss"], names_of(keras.losses)), optimizer=eval(case["optimizer"], names_of(keras.optimizers)),
                  metrics=[eval(text, names_of(keras.metrics)) for text in case["metrics"]])
    clock = Epochs()
    model.fit(data["inputs"], data[case["targets"]], batch_size=batch, epochs=epochs + 1, verbose=0, callbacks=[clock])
    steps = -(-len(data["inputs"]) // batch)
    return 1e3 * statistics.median(clock.seconds[1:]) / steps


for line in sys.stdin:
    try:
        answer = {"milliseconds": milliseconds(json.loads(line))}
    except Exception as error:  # what Keras cannot run is said, and the walk goes on
        answer = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
    print(json.dumps(answer), flush=True)
