"""Trains and exports every case of vocabulary.py with the program, and keeps what the program computes from it.
Usage: make_cases.py PROGRAM FOLDER [WORD]      WORD: only cases with it in their text

FOLDER/<number>/ then holds e.h5, e.keras, ..., case.json, and ours.npz: the predictions of the trained model (`trained`),
after one more epoch from the checkpoint (`epoch`), and after one epoch from e.h5, whose optimizer starts anew (`fresh`)."""
import json
import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import vocabulary

PROGRAM, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ONLY = sys.argv[3] if len(sys.argv) > 3 else ""
RANDOM = np.random.default_rng(5)
ROWS, BATCH = 40, 8
X = RANDOM.normal(size=(ROWS, vocabulary.INPUTS)).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int64") + (X[:, 1] > 0.2)
TARGETS = {"class": CLASSES, "onehot": np.eye(3, dtype="float32")[CLASSES], "value": X[:, :1] * 2 + X[:, 1:2],
           "values": X[:, :3] * 2 + X[:, 1:2], "positive": np.abs(X[:, :1]) + 0.5, "binary": (X[:, :1] > 0).astype("float32"),
           "binary01": (X[:, :1] > 0).astype("float32"), "sign": np.where(X[:, :1] > 0, 1, -1).astype("float32")}
INPUTS = {"numbers": X, "indices": np.random.default_rng(6).integers(0, 6, size=X.shape).astype("float32")}
INPUTS["words"] = np.array(["ash", "oak", "yew", "elm", "fir", "larch"])[INPUTS["indices"].astype(int)]
SOURCE = {"name": "x.npy"}  # of the case at hand


def call(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


def need(*arguments):
    done = call(*arguments)
    if done.returncode != 0:
        raise RuntimeError(" ".join(arguments[:2]) + ": " + (done.stdout + done.stderr).strip()[-400:])
    return done.stdout


def predictions(checkpoint):
    need("predict", checkpoint, "--data.inputs=" + SOURCE["name"], "--output=o.npy")
    return np.load("o.npy").reshape(ROWS, -1)


def configuration(name, lines, epochs, path):
    head = ["[data]", "inputs = " + SOURCE["name"], "targets = y.npy", "header = no", *lines]
    tail = ["[fit]", f"epochs = {epochs}", f"batch_size = {BATCH}", "shuffle = false", "verbose = 0", "[checkpoint]", "path = " + path]
    with open(name, "w") as file:
        file.write("\n".join(head + tail) + "\n")


def make(case):
    """What the program computes, and what it would not export."""
    model = ["[model]", "input_shape = (4,)"] if not case.layers[0].startswith("Input") else ["[model]"]
    SOURCE["name"] = "x.csv" if case.inputs == "words" else "x.npy"
    compiled = ["[compile]", "loss = " + case.loss, "optimizer = " + case.optimizer]
    compiled += ["metrics = " + ", ".join(case.metrics)] if case.metrics else []
    configuration("run.ini", model + ["layer = " + layer for layer in case.layers] + compiled, 2, "run.h5")
    np.save("x.npy", INPUTS[case.inputs])
    if case.inputs == "words":
        np.savetxt("x.csv", INPUTS["words"], fmt="%s", delimiter=",")
    np.save("y.npy", TARGETS[case.target])
    need("train", "run.ini")
    arrays, refused = {"trained": predictions("run.h5")}, {}
    for ending in case.formats:
        done = call("export", "run.h5", "--output=e." + ending)
        if done.returncode != 0:
            refused[ending] = (done.stdout + done.stderr).strip()[-300:]
    results = json.loads(need("evaluate", "run.h5", "--json", "--data.inputs=" + SOURCE["name"], "--data.targets=y.npy"))
    if case.epoch and not case.random:
        need("train", "run.ini", "--fit.epochs=3")
        if case.state:
            arrays["epoch"] = predictions("run.h5")
        configuration("fresh.ini", ["[model]", "from = e.h5"], 1, "fresh.h5")
        fresh = call("train", "fresh.ini")
        if fresh.returncode == 0:
            arrays["fresh"] = predictions("fresh.h5")
        else:
            refused["fresh"] = (fresh.stdout + fresh.stderr).strip()[-300:]
    np.savez("ours.npz", **arrays)
    return {"loss": results["loss"], "results": results["metrics"], "refused": refused}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    failed = 0
    for number, case in enumerate(vocabulary.cases(need("vocabulary"))):
        home = os.path.join(FOLDER, f"{number:03}")
        if ONLY not in f"{case.kind} {case.name} {case.text}" or os.path.exists(os.path.join(home, "case.json")):
            continue
        os.makedirs(home, exist_ok=True)
        os.chdir(home)
        try:
            found = make(case)
        except Exception as error:
            found = {"program": str(error)}
        failed += "program" in found
        with open("case.json", "w") as file:
            json.dump({**asdict(case), **found}, file, indent=1)
        print(f"{number:03} {case.kind} {case.text}", found.get("program", found.get("refused") or ""), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
