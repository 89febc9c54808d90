"""The program's exports in the hands of the programs they are for. Usage: run.py PROGRAM TABLE [WORD]

Trains a small model for every layer, activation, loss, metric, optimizer and schedule of the vocabulary, exports it to every
format, opens each file with this Python's Keras and onnxruntime and compares predictions, evaluation and one more epoch.
Writes TABLE (markdown). Exit code 1 when anything differs. WORD: only cases with it in their name."""
import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

import vocabulary as words  # noqa: E402

PROGRAM, TABLE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ONLY = sys.argv[3] if len(sys.argv) > 3 else ""
RANDOM = np.random.default_rng(5)
ROWS, BATCH = 40, 8
X = RANDOM.normal(size=(ROWS, words.IRIS_INPUT)).astype("float32")
CLASSES = ((X[:, 0] > 0).astype("int64") + (X[:, 1] > 0.2)).astype("int64")
TARGETS = {"class": CLASSES, "onehot": np.eye(3, dtype="float32")[CLASSES],
           "value": (np.abs(X[:, :1]) + 0.5).astype("float32"), "binary": (X[:, :1] > 0).astype("float32")}


def call(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


def need(*arguments):
    done = call(*arguments)
    if done.returncode != 0:
        raise RuntimeError(" ".join(arguments[:2]) + ": " + (done.stdout + done.stderr).strip()[-400:])
    return done.stdout


def difference(a, b):
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    if a.shape != b.shape:
        return float("inf")
    both = np.isnan(a) & np.isnan(b)
    return float(np.max(np.where(both, 0, np.abs(a - b)) / np.maximum(1, np.abs(b)), initial=0))


def train(layers, loss, target, optimizer, metrics, epochs=2):
    np.save("x.npy", X)
    np.save("y.npy", TARGETS[target])
    lines = ["[data]", "inputs = x.npy", "targets = y.npy", "[model]", "input_shape = (4,)"]
    lines += ["layer = " + layer for layer in layers]
    lines += ["[compile]", "loss = " + loss, "optimizer = " + optimizer, "metrics = " + ", ".join(metrics)]
    lines += ["[fit]", f"epochs = {epochs}", f"batch_size = {BATCH}", "shuffle = false", "verbose = 0", "[checkpoint]", "path = run.h5"]
    with open("run.ini", "w") as file:
        file.write("\n".join(lines) + "\n")
    need("train", "run.ini")
    need("predict", "run.h5", "--data.inputs=x.npy", "--output=o.npy")
    return np.load("o.npy").reshape(ROWS, -1)


def results_of(text):
    """The results that `evaluate` prints, by name."""
    results = {}
    line = next(line for line in text.splitlines() if " samples - " in line)
    for part in line.split(" - "):
        if ": " in part:
            name, value = part.rsplit(": ", 1)
            try:
                results[name] = float(value)
            except ValueError:
                pass
    return results


def check(layers, loss, target, optimizer, metrics, random_layers):
    """Differences by format; a text where something failed."""
    ours = train(layers, loss, target, optimizer, metrics)
    found = {}
    for ending in ("h5", "keras", "json", "weights.h5", "npz", "onnx"):
        done = call("export", "run.h5", "--output=e." + ending)
        if done.returncode == 2 and ending == "onnx" and "ONNX has no operators" in done.stdout + done.stderr:
            found[ending] = "no operators"
        elif done.returncode != 0:
            found[ending] = (done.stdout + done.stderr).strip()[-200:]
    models = {}
    for ending in ("h5", "keras"):
        try:
            models[ending] = keras.models.load_model("e." + ending)
            found[ending] = difference(models[ending].predict(X, verbose=0).reshape(ROWS, -1), ours)
        except Exception as error:  # whatever Keras throws is the result
            found[ending] = f"{type(error).__name__}: {str(error)[:200]}"
    try:
        with open("e.json") as file:
            model = keras.models.model_from_json(file.read())
        model.load_weights("e.weights.h5")
        found["json"] = found["weights.h5"] = difference(model.predict(X, verbose=0).reshape(ROWS, -1), ours)
    except Exception as error:
        found["json"] = found["weights.h5"] = f"{type(error).__name__}: {str(error)[:200]}"
    try:
        arrays = np.load("e.npz")
        weights = models["keras"].weights
        found["npz"] = max([difference(arrays["/".join(w.path.split("/")[-2:])], np.asarray(w)) for w in weights
                            if "seed" not in w.path], default=0.0)
    except Exception as error:
        found["npz"] = f"{type(error).__name__}: {str(error)[:200]}"
    if "onnx" not in found:
        if onnxruntime is None:
            found["onnx"] = "not tried"
        else:
            session = onnxruntime.InferenceSession("e.onnx", providers=["CPUExecutionProvider"])
            found["onnx"] = difference(session.run(None, {"input": X})[0].reshape(ROWS, -1), ours)
    if "keras" in models:
        model = models["keras"]
        try:
            results = model.evaluate(X, TARGETS[target], batch_size=BATCH, verbose=0, return_dict=True)
            mine = results_of(need("evaluate", "run.h5", "--data.inputs=x.npy", "--data.targets=y.npy"))
            missing = [name for name in results if name not in mine and np.size(results[name]) == 1]
            found["evaluation"] = f"names differ: {sorted(results)} and {sorted(mine)}" if missing else max(
                [difference(results[name], mine[name]) for name in results if name in mine], default=0.0)
        except Exception as error:
            found["evaluation"] = f"{type(error).__name__}: {str(error)[:200]}"
        if random_layers:
            found["epoch"] = "random"
        else:
            try:
                model.fit(X, TARGETS[target], epochs=1, batch_size=BATCH, shuffle=False, verbose=0)
                need("train", "run.ini", "--fit.epochs=3")
                need("predict", "run.h5", "--data.inputs=x.npy", "--output=o.npy")
                found["epoch"] = difference(model.predict(X, verbose=0).reshape(ROWS, -1), np.load("o.npy").reshape(ROWS, -1))
            except Exception as error:
                found["epoch"] = f"{type(error).__name__}: {str(error)[:200]}"
    return found


BOUNDS = {"h5": 1e-5, "keras": 1e-5, "json": 1e-5, "weights.h5": 1e-5, "npz": 0, "onnx": 1e-5, "evaluation": 2e-4, "epoch": 1e-3}


def cases():
    sparse = ("sparse_categorical_crossentropy", "class", "SGD(0.05)", ["accuracy"])
    end = 'Dense(3, activation="softmax")'
    for name in words.ACTIVATIONS:
        yield "activation " + name, (['Dense(8, activation="%s")' % name, end], *sparse), False
    yield "activation glu", (["Dense(6)", 'Activation("glu")'], "mean_squared_error", "onehot", "SGD(0.05)", ["mse"]), False
    for name, layers in words.LAYERS.items():
        random_layers = any(word in name for word in ("Dropout", "Noise"))
        yield "layer " + name, (['Dense(8, activation="tanh")', *layers, end], *sparse), random_layers
    for name, layers in words.FIRST.items():
        yield "layer " + name, ([*layers, end], *sparse), False
    for optimizer in words.OPTIMIZERS:
        yield "optimizer " + optimizer, (['Dense(8, activation="tanh")', end], sparse[0], sparse[1], optimizer, ["accuracy"]), False
    for loss, (activation, target) in words.LOSSES.items():
        units = 3 if target in ("class", "onehot") else 1
        metrics = words.METRICS[target] if not (target == "class" and activation == "linear") else ["accuracy"]
        if target == "binary" and activation == "linear":
            metrics = ["mse"]
        if target == "onehot" and activation == "linear":
            metrics = ["accuracy", "CosineSimilarity()"]
        yield "loss " + loss, (['Dense(8, activation="tanh")', 'Dense(%d, activation="%s")' % (units, activation)], loss, target,
                               "SGD(0.02)", metrics), False


def main():
    rows, bad = [], 0
    for name, arguments, random_layers in cases():
        if ONLY not in name:
            continue
        keras.backend.clear_session()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                found = check(*arguments, random_layers)
            except Exception as error:
                found = {"program": str(error)[-300:]}
            os.chdir("/")
        wrong = {key: value for key, value in found.items() if (isinstance(value, str) and value not in ("random", "no operators", "not tried"))
                 or (not isinstance(value, str) and not value <= BOUNDS[key])}
        bad += bool(wrong)
        rows.append((name, found, wrong))
        print("FAIL" if wrong else "ok  ", name, json.dumps(wrong) if wrong else "", flush=True)
    with open(TABLE, "w") as file:
        columns = ["h5", "keras", "weights.h5", "npz", "onnx", "evaluation", "epoch"]
        file.write(f"Keras {keras.__version__}, backend {keras.backend.backend()}"
                   + (f", onnxruntime {onnxruntime.__version__}" if onnxruntime else "") + f": {len(rows) - bad} of {len(rows)} agree\n\n")
        file.write("| case | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns) + "\n")
        for name, found, wrong in rows:
            cells = [("**" if column in wrong else "") + (found.get(column, "-") if isinstance(found.get(column, "-"), str) else
                     "%.0e" % found[column] if found[column] else "0")[:40] + ("**" if column in wrong else "") for column in columns]
            file.write(f"| {name} | " + " | ".join(cells) + " |\n")
    print(f"{len(rows) - bad} of {len(rows)} agree")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
