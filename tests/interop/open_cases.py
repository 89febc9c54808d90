"""Opens what make_cases.py made with this Python's Keras (and onnxruntime, where it is there), and compares predictions,
evaluation and one more epoch. Usage: open_cases.py FOLDER RESULTS.json [needs]

A case whose layer needs another backend (in Keras, hashing is TensorFlow's) is left to a second call, with `needs` and
that backend, which adds it to the results.

RESULTS: {case: {check: difference, or a text where something failed}}; a case whose word this Keras does not have is
{"unknown": true}; where known.py has a reason why a case cannot agree, "reason" says it. Exit code 1: a case disagrees
without one."""
import json
import os
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np  # noqa: E402

import keras  # noqa: E402
import known  # noqa: E402

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

FOLDER, RESULTS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
KERAS_3 = keras.__version__ >= "3"
ADD = len(sys.argv) > 3
ROWS, BATCH = 40, 8
MODULES = {"layer": "layers", "initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints",
           "loss": "losses", "metric": "metrics", "optimizer": "optimizers"}
SPELLED = {"Input": "InputLayer", "LAMB": "Lamb"}
BOUNDS = {"npz": 0, "evaluation": 1e-5, "epoch": 1e-4, "fresh": 1e-4}  # others 1e-5


def knows(case):
    kind, name = case["kind"], SPELLED.get(case["name"], case["name"])
    if kind == "activation" and name[0].islower():
        try:
            return callable(keras.activations.get(name))
        except ValueError:
            return False
    if kind == "activation":
        return hasattr(keras.layers, name)
    module = keras.optimizers.schedules if kind == "schedule" else getattr(keras, MODULES[kind])
    return hasattr(module, name)


def inputs():
    x = np.load("x.npy")
    if x.dtype.kind != "U":
        return x
    import tensorflow  # such cases are tried with this backend alone
    return tensorflow.constant(x)


def difference(a, b):
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    if a.size != b.size:
        return float("inf")
    a = a.reshape(b.shape)
    both = np.isnan(a) & np.isnan(b)
    worst = np.max(np.where(both, 0, np.abs(a - b)) / np.maximum(1, np.abs(b)), initial=0)
    return float(worst) if np.isfinite(worst) else 1e300


def predict(model, x):
    return np.asarray(model.predict(x, batch_size=ROWS, verbose=0)).reshape(ROWS, -1)


def load(path):
    model = keras.models.load_model(path)
    model.run_eagerly = True  # models are small; compiling each would take most of the time
    return model


def evaluation(model, case, x, y):
    results = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    mine = {**case["results"], "loss": case["loss"]}
    theirs = {}
    for name, value in results.items():  # a metric with several thresholds has several results
        one = np.ravel(np.asarray(value))
        theirs.update({name: one[0]} if one.size == 1 else {f"{name}_{i}": one[i] for i in range(one.size)})
    if sorted(theirs) != sorted(mine):
        return f"names differ: {sorted(theirs)} in Keras, {sorted(mine)} here"
    return max(difference(theirs[name], mine[name]) for name in mine)


def attempt(found, key, function):
    try:
        found[key] = function()
    except Exception as error:  # whatever Keras throws is the result
        found[key] = f"{type(error).__name__}: {str(error).strip()[:300]}"


def is_compiled(model):
    return getattr(model, "compiled", getattr(model, "optimizer", None) is not None)


def whole_model(found, case, ours, ending, x, y, after):
    """Predictions, evaluation and one more epoch of a file that is a whole model; `after`: the epoch's name."""
    if ending in case["refused"]:
        found[ending] = case["refused"][ending]
        return None
    models = []
    attempt(found, ending, lambda: (models.append(load("e." + ending)), difference(predict(models[0], x), ours["trained"]))[1])
    if not models:
        return None
    if not is_compiled(models[0]):
        found["uncompiled"] = True
        return models[0]
    if "evaluation" not in found:
        attempt(found, "evaluation", lambda: evaluation(models[0], case, x, y))
    weights = [np.asarray(weight) for weight in models[0].get_weights()]
    if after in ours:
        attempt(found, after, lambda: (models[0].fit(x, y, epochs=1, batch_size=BATCH, shuffle=False, verbose=0),
                                       difference(predict(models[0], x), ours[after]))[1])
    elif after in case["refused"]:
        found[after] = case["refused"][after]
    models[0].set_weights(weights)
    return models[0]


def architecture(x, ours):
    with open("e.json") as file:
        model = keras.models.model_from_json(file.read())
    model.load_weights("e.weights.h5")
    return difference(predict(model, x), ours["trained"])


def arrays_of(model):
    arrays = np.load("e.npz")
    weights = [weight for weight in model.weights if "seed" not in weight.path]
    return max([difference(arrays["/".join(weight.path.split("/")[-2:])], np.asarray(weight)) for weight in weights], default=0.0)


def graph(x, ours):
    session = onnxruntime.InferenceSession("e.onnx", providers=["CPUExecutionProvider"])
    return difference(session.run(None, {session.get_inputs()[0].name: x})[0].reshape(ROWS, -1), ours["trained"])


def check(case, ours, x, y):
    found = {}
    whole_model(found, case, ours, "h5", x, y, "fresh")
    if KERAS_3:
        model = whole_model(found, case, ours, "keras", x, y, "epoch")
        if "json" in case["formats"] and "weights.h5" in case["formats"]:
            attempt(found, "json", lambda: architecture(x, ours))
        if "npz" in case["formats"] and model is not None:
            attempt(found, "npz", lambda: arrays_of(model))
    if onnxruntime is not None and "onnx" in case["formats"]:
        if "onnx" not in case["refused"]:
            attempt(found, "onnx", lambda: graph(x, ours))
        elif "ONNX has no operators" not in case["refused"]["onnx"]:
            found["onnx"] = case["refused"]["onnx"]
    return found


def wrong(found):
    return {key: value for key, value in found.items() if isinstance(value, str) or
            (not isinstance(value, bool) and not value <= BOUNDS.get(key, 1e-5))}


def main():
    results = {"keras": keras.__version__, "backend": keras.backend.backend(),
               "onnxruntime": onnxruntime.__version__ if onnxruntime else None, "cases": {}}
    if ADD:
        with open(RESULTS) as file:
            results = json.load(file)
    bad = explained = tried = 0
    for number in sorted(name for name in os.listdir(FOLDER) if name.isdigit()):
        os.chdir(os.path.join(FOLDER, number))
        with open("case.json") as file:
            case = json.load(file)
        if ADD and not case["needs"]:
            continue
        started = time.time()
        keras.backend.clear_session()
        if not knows(case):
            found = {"unknown": True}
        elif case["needs"] not in ("", keras.backend.backend()):
            found = {"needs": True}
        elif "program" in case:
            found = {"program": case["program"]}
        else:
            found = check(case, dict(np.load("ours.npz")), inputs(), np.load("y.npy"))
        faults = wrong(found)
        reason = known.reason_of(keras.__version__, case["kind"], case["text"], faults) if faults else None
        bad += bool(faults) and reason is None
        explained += reason is not None
        tried += not (found.get("unknown") or found.get("needs"))
        results["cases"][number] = {"kind": case["kind"], "name": case["name"], "text": case["text"], "found": found, "wrong": faults,
                                    "reason": reason}
        if faults and reason is None:
            print("FAIL", number, case["kind"], case["text"], json.dumps(faults), flush=True)
        elif time.time() - started > 20:
            print("slow", number, case["text"], round(time.time() - started), flush=True)
        with open(RESULTS, "w") as file:
            json.dump(results, file, indent=1)
    print(f"Keras {keras.__version__}: of {tried} cases {tried - bad - explained} agree, {explained} cannot for a known reason, {bad} do not")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
