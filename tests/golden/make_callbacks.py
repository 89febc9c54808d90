"""Writes callbacks.json: every callback driven with given logs (see golden.py)."""
import os
import tempfile

import numpy as np
from golden import f32, keras, namespace, random, write

rng = random("logs")


def curve(values, accuracy=None):
    values = [round(v, 4) for v in values]
    accuracy = accuracy or [round(1 / (1 + v), 4) for v in values]
    return [{"loss": round(0.8 * v, 4), "val_loss": v, "accuracy": round(min(1, a + 0.05), 4), "val_accuracy": a}
            for v, a in zip(values, accuracy)]


CURVES = {
    "valley": curve([1.0, 0.8, 0.7, 0.65, 0.66, 0.7, 0.72, 0.75, 0.8, 0.85, 0.9, 0.95]),
    "noisy": curve([1.0, 0.9, 0.95, 0.85, 0.88, 0.87, 0.8, 0.84, 0.82, 0.81, 0.83, 0.86, 0.79, 0.9, 0.91, 0.92]),
    "flat": curve([0.5, 0.5, 0.49995, 0.4999, 0.4998, 0.4997, 0.4996, 0.4995, 0.4994, 0.4993, 0.4992, 0.4991]),
    "falling": curve([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]),
    "rising": curve([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]),
}
EARLY = """EarlyStopping() | EarlyStopping(patience=2) | EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
EarlyStopping("val_accuracy", patience=2) | EarlyStopping(monitor="val_accuracy", patience=2, mode="max", restore_best_weights=True)
EarlyStopping(monitor="val_accuracy", patience=2, mode="min") | EarlyStopping(monitor="loss", patience=1)
EarlyStopping(min_delta=0.05, patience=2, restore_best_weights=True) | EarlyStopping(min_delta=-0.05, patience=2)
EarlyStopping(patience=2, baseline=0.75) | EarlyStopping(patience=2, baseline=0.6, restore_best_weights=True)
EarlyStopping(patience=2, start_from_epoch=4, restore_best_weights=True) | EarlyStopping(patience=0, start_from_epoch=3)
EarlyStopping(monitor="val_accuracy", min_delta=0.01, patience=2, baseline=0.55)"""
PLATEAU = """ReduceLROnPlateau() | ReduceLROnPlateau(patience=2) | ReduceLROnPlateau(factor=0.5, patience=1)
ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=2, min_lr=0.001) | ReduceLROnPlateau(patience=1, cooldown=2, factor=0.5)
ReduceLROnPlateau(monitor="val_accuracy", factor=0.5, patience=1, mode="max") | ReduceLROnPlateau("val_accuracy", 0.5, 1)
ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0.01) | ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0)
ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1, cooldown=1, min_lr=0.02)"""
SCHEDULER = """LearningRateScheduler(ExponentialDecay(0.1, 3, 0.5)) | LearningRateScheduler(PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]))
LearningRateScheduler(CosineDecay(0.2, 8, alpha=0.1))"""
SAVERS = """ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.h5") | ModelCheckpoint("best.h5", save_best_only=True)
ModelCheckpoint("{epoch}.h5", monitor="val_accuracy", save_best_only=True) | ModelCheckpoint("{epoch:03d}.h5", "val_accuracy", save_best_only=True, mode="min")
ModelCheckpoint("{epoch}-{val_accuracy:.3f}.h5", save_best_only=True, initial_value_threshold=0.7)"""
LOGGERS = """CSVLogger("log.csv") | CSVLogger("log.csv", separator=";") | CSVLogger("log.csv", append=True)"""


def drive(spec, logs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=["accuracy"])
    model.train_on_batch(np.zeros((2, 1)), np.zeros((2, 1)))  # the metrics exist now
    callback = eval(spec, namespace(keras.callbacks))
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_begin()
    rates, epochs = [], 0
    for epoch, entry in enumerate(logs):
        model.set_weights([np.full((1, 1), epoch + 1, np.float32)])  # the epoch, to be found after a restore
        callback.on_epoch_end(epoch, dict(entry))
        rates.append(float(model.optimizer.learning_rate))
        epochs = epoch + 1
        if model.stop_training:
            break
    callback.on_train_end()
    weight = int(model.get_weights()[0][0, 0])
    restored = weight if getattr(callback, "restore_best_weights", False) and weight else None
    return epochs, model.stop_training, restored, rates


def saved(spec, logs):
    """The names of the files that appear or change at each epoch."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", metrics=["accuracy"])
    model.train_on_batch(np.zeros((2, 1)), np.zeros((2, 1)))
    callback = eval(spec, namespace(keras.callbacks))
    callback.set_model(model)
    callback.on_train_begin()
    names = []
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for epoch, entry in enumerate(logs):
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, dict(entry))
            names += [name for name in os.listdir() if os.path.getsize(name)]
            for name in os.listdir():
                os.remove(name)
        os.chdir(home)
    return names


def logged(spec, logs):
    """The text of the file; with append it continues one of two rows."""
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for part in ([logs[:2], logs[2:]] if "append" in spec else [logs]):
            callback = eval(spec, namespace(keras.callbacks))
            callback.on_train_begin()
            for epoch, entry in enumerate(part):
                callback.on_epoch_end(epoch, dict(entry))
            callback.on_train_end()
        with open("log.csv", newline="") as file:
            text = file.read()
        os.chdir(home)
    return text.replace("\r\n", "\n")


def specs_of(block):
    return [spec.strip() for line in block.splitlines() for spec in line.split(" | ")]


cases = []
for block in (EARLY, PLATEAU):
    for spec in specs_of(block):
        for name, logs in CURVES.items():
            epochs, stopped, restored, rates = drive(spec, logs)
            cases.append({"name": f"{spec}/{name}", "spec": spec, "curve": name, "stopped_epoch": epochs,
                          "stopped": bool(stopped), "restored_epoch": restored, "learning_rates": f32(rates)})
for spec in specs_of(SCHEDULER):
    schedule = eval(spec.split("(", 1)[1][:-1], namespace(keras.callbacks))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(schedule(epoch)))  # Keras takes a function
    callback.set_model(model)
    rates = []
    for epoch in range(8):
        callback.on_epoch_begin(epoch)
        rates.append(float(model.optimizer.learning_rate))
    cases.append({"name": f"{spec}/falling", "spec": spec, "curve": "falling", "stopped_epoch": 8, "stopped": False, "restored_epoch": None,
                  "learning_rates": f32(rates)})
for spec in specs_of(SAVERS):
    for name in ("valley", "noisy", "rising"):
        cases.append({"name": f"{spec}/{name}", "spec": spec, "curve": name, "saved": saved(spec, CURVES[name])})
training_only = [{"loss": 1 / 2**k, "accuracy": 1.0} for k in range(3)]
odd = [{"loss": 1e-5, "val_loss": 12345678.0, "learning_rate": 0.0001}, {"loss": 0.1, "learning_rate": 1e20}, {"loss": 2.0, "val_loss": 0.25}]
CURVES |= {"training_only": training_only, "odd": odd}
for spec in specs_of(LOGGERS):
    for name in ("falling", "training_only", "odd"):
        if "append" in spec and name == "odd":
            continue  # other results in the second run: Keras' columns shift, ours are those of the file
        cases.append({"name": f"{spec}/{name}", "spec": spec, "curve": name, "csv": logged(spec, CURVES[name])})
for spec in ("TerminateOnNaN()", "TerminateOnNaN(raise_error=True)"):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = eval(spec, namespace(keras.callbacks))
    callback.set_model(model)
    model.stop_training = False
    callback.on_train_batch_end(6, {"loss": 1.0})
    assert not model.stop_training
    raised = None
    try:
        callback.on_train_batch_end(7, {"loss": float("nan")})
    except RuntimeError as error:
        raised = str(error)
    cases.append({"name": spec, "spec": spec, "batch": 7, "stopped": bool(model.stop_training), "raised": raised})
write("callbacks", cases, curves=[{"name": n, "logs": logs} for n, logs in CURVES.items()])
