"""Writes runs/<name>/: whole training runs of real Keras (config.ini, initial.h5, final.h5, expected.json), and the data
they share in data/. See golden.py for how to run it; the runs themselves are described in runs_list.py.

A run is trained from the same text that its config.ini holds. It is then repeated with the initial weights changed by about one
unit in the last place: what moves then is the run's own noise; it is kept in expected.json and must stay small.
"""
import json
import os
import shutil
import sys

import h5py
import numpy as np
import runs_list
from golden import HERE, f32, keras, namespace, number, to_json

DATA = os.path.join(HERE, "data")
OPTIMIZERS, LAYERS, LOSSES, METRICS, CALLBACKS = (
    namespace(m) for m in (keras.optimizers, keras.layers, keras.losses, keras.metrics, keras.callbacks))
NOISE_ALLOWED = 1e-4


def evaluated(text, names):
    return eval(text, names) if "(" in text else text


def split(text):
    """Splits at commas outside brackets."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return parts + [part.strip()] if part.strip() else parts


def rows_of(text, n):
    return slice(*[int(v) if v else None for v in text.split(":")])


def load(source, columns=None):
    """A source as the configuration names it, as float32 (or class indices for a text column)."""
    path, _, dataset = source.partition(":")
    path = os.path.normpath(os.path.join(HERE, "runs", "x", path))
    if path.endswith(".npy"):
        return np.load(path).astype(np.float32)
    if path.endswith(".h5"):
        with h5py.File(path) as file:
            return file[dataset][()].astype(np.float32)
    with open(path) as file:
        head, *lines = [line.strip().split(",") for line in file]
    if ":" in columns:
        picked = list(range(len(head)))[rows_of(columns, len(head))]
    else:
        picked = [head.index(c.strip()) for c in columns.split(",")]
    cells = [[line[i] for i in picked] for line in lines]
    try:
        return f32(cells)
    except ValueError:
        names = sorted(set(c[0] for c in cells))
        return f32([names.index(c[0]) for c in cells])


def ini(run):
    lines = ["# " + run["about"], ""]
    for section in ("data", "model", "compile", "fit", "run"):
        entries = run.get(section, {})
        if section == "model":
            entries = {"from": "initial.h5"}
        if section == "fit":
            entries = {"shuffle": "false", **entries}
        if section == "run":
            entries = {"seed": 0}
        lines.append(f"[{section}]")
        for key, value in entries.items():
            lines += [f"{key:<18} = {v}" for v in (value if isinstance(value, list) else [value])]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def arrays(run):
    data = run["data"]
    x = load(data["inputs"], data.get("input_columns"))
    y = load(data.get("targets", data["inputs"]), data.get("target_columns"))
    if y.ndim == 1 and "hinge" in str(run["compile"].get("metrics")):
        y = y[:, None]  # Keras' hinge metric broadcasts (n,) against (n, 1)
    w = load(data["sample_weight"]) if "sample_weight" in data else None
    if "scale" in data:
        a, _, b = data["scale"].partition("/")
        x = f32(x * np.float32(float(a) / float(b or 1)))
    train = rows_of(data["rows"], len(x)) if "rows" in data else slice(None)
    validation = None
    if "validation_rows" in data:
        v = rows_of(data["validation_rows"], len(x))
        validation = (x[v], y[v])
    return x, y, w, train, validation


def build(run, x):
    keras.backend.clear_session()
    keras.utils.set_random_seed(run.get("seed", 1))
    model = keras.Sequential([keras.Input(x.shape[1:])] + [eval(spec, LAYERS) for spec in run["layers"]])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            layer.adapt(x)
    return model


def train(run, weights=None, folder=None):
    x, y, w, rows, validation = arrays(run)
    model = build(run, x[rows])
    if weights is not None:
        model.set_weights(weights)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()
    elif folder:
        model.save(os.path.join(folder, "initial.h5"))
    initial = model.get_weights()
    options = run["compile"]
    metrics = {k: [evaluated(m, METRICS) for m in split(options[k])] for k in ("metrics", "weighted_metrics") if k in options}
    model.compile(optimizer=evaluated(options["optimizer"], OPTIMIZERS), loss=evaluated(options["loss"], LOSSES), **metrics)
    fit = {k: v for k, v in run["fit"].items() if k not in ("callback", "class_weight")}
    if "class_weight" in run["fit"]:
        pairs = [p.split(":") for p in split(run["fit"]["class_weight"])]
        fit["class_weight"] = {int(k): float(v) for k, v in pairs}
    if w is not None:
        fit["sample_weight"] = w[rows]
    callbacks = run["fit"].get("callback", [])
    callbacks = [eval(c, CALLBACKS) for c in (callbacks if isinstance(callbacks, list) else [callbacks])]
    history = model.fit(x[rows], y[rows], shuffle=False, verbose=0, validation_data=validation, callbacks=callbacks, **fit)
    evaluation = model.evaluate(x, y, verbose=0, return_dict=True, batch_size=fit.get("batch_size", 32))
    predictions = model.predict(x[:5], verbose=0)
    if folder and weights is None:
        path = os.path.join(folder, "final.h5")
        try:
            model.save(path)
        except (ValueError, RuntimeError):
            # Keras' HDF5 writer cannot store Adafactor (two slots of the same name); with use_ema on jax the slots share the
            # weights' arrays after fit and are gone ("Array has been deleted").
            keras.saving.save_model(model, path, include_optimizer=False)
    return initial, {"history": history.history, "epoch": history.epoch, "evaluate": evaluation,
                     "predict_head": predictions, "weights": model.get_weights()}


def difference(a, b):
    """Largest difference relative to the value, with a floor of 1 % of the array's largest value."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        return np.inf
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 0.01 * np.max(np.abs(b)) + 1e-12), initial=0))


def noise(run, initial, result):
    rng = np.random.default_rng(7)
    worst = {"weights": 0.0, "history": 0.0}
    for _ in range(2):
        moved = [w if w.dtype != np.float32 else f32(w * (1 + rng.choice([-1, 1], w.shape) * 1.2e-7)) for w in initial]
        other = train(run, moved)[1]
        worst["weights"] = max([worst["weights"]] + [difference(a, b) for a, b in zip(other["weights"], result["weights"])])
        worst["history"] = max([worst["history"]] + [difference(other["history"][k], v) for k, v in result["history"].items()])
    return worst


def main():
    keras.utils.disable_interactive_logging()
    import logging
    logging.getLogger("absl").setLevel(logging.ERROR)
    runs_list.write_data(DATA)
    chosen = sys.argv[1:]
    for run in runs_list.RUNS:
        if chosen and run["name"] not in chosen:
            continue
        folder = os.path.join(HERE, "runs", run["name"])
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        initial, result = train(run, folder=folder)
        moved = noise(run, initial, result)
        with open(os.path.join(folder, "config.ini"), "w") as file:
            file.write(ini(run))
        head = result["predict_head"]
        expected = {"keras": keras.__version__, "layers": run["layers"],
                    "history": {k: [float(v) for v in values] for k, values in result["history"].items()},
                    "epoch": result["epoch"], "evaluate": {k: float(v) for k, v in result["evaluate"].items()},
                    "predict_head": {"shape": list(head.shape), "data": head}, "noise": moved}
        text = to_json(expected, indent=1) + "\n"
        json.loads(text)
        with open(os.path.join(folder, "expected.json"), "w") as file:
            file.write(text)
        size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)) // 1024
        flag = "" if max(moved.values()) < NOISE_ALLOWED else "   TOO NOISY"
        last = {k: "%.4g" % v[-1] for k, v in result["history"].items()}
        print(f"{run['name']}: {len(result['epoch'])} epochs, {last}, noise {number(moved['weights'])} "
              f"{number(moved['history'])}, {size} KiB{flag}", flush=True)


main()
