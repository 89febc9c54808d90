"""Part `vocabulary`: walks the registries, as `nntrain-dist vocabulary` prints them, and measures every entry that takes part
in a step: ms a step at batch 256, ours with one rank per core against Keras' fit on JAX, in turn. So a new entry shows itself.
Prints a line an entry, those above 1 once more at the end; writes build/benchmarks/vocabulary.json.
  ENTRIES="GaussianNoise Ftrl"    in the environment: these alone"""
import json
import os
import re
import statistics
import subprocess
import sys

import numpy as np

from harness import CORES, FOLDER, HERE, PROGRAM, ROUNDS, call, ours, save, say

BATCH, ROWS, EPOCHS, WIDTH = 256, 8192, 3, 500
FAMILIES = {"Layers": "layer", "Activations": "activation", "Regularizers": "regularizer", "Constraints": "constraint",
            "Losses": "loss", "Metrics": "metric", "Optimizers": "optimizer"}
# Arguments without a default.
REQUIRED = {"units": f"{WIDTH}", "target_shape": f"({WIDTH},)", "rate": "0.2", "stddev": "0.1", "scale": "0.5", "n": "2",
            "recall": "0.5", "precision": "0.5", "specificity": "0.5", "sensitivity": "0.5", "num_classes": "10",
            "target_class_ids": "[0]", "activation": '"relu"'}
# What a name needs besides: other arguments, the form of the targets, the layers around it.
ARGUMENTS = {"Permute": "(2, 1)", "ActivityRegularization": "l1=0.001, l2=0.001", "GroupNormalization": "groups=50",
             "Normalization": "mean=0.5, variance=0.1"}
AROUND = {"Permute": (f"Reshape((20, {WIDTH // 20}))", "Flatten()"), "RepeatVector": (None, "Flatten()")}
LABELS = {"SparseCategoricalCrossentropy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
          "CategoricalGeneralizedCrossEntropy", "Circle", "IoU", "BinaryIoU", "MeanIoU", "Accuracy", "Perceptron"}
LEFT_OUT = {"Input": "declares a shape", "Embedding": "of indices, not of numbers",
            "CategoryEncoding": "prepares inputs, outside of steps in Keras", "Discretization": "as CategoryEncoding",
            "Hashing": "as CategoryEncoding", "IntegerLookup": "as CategoryEncoding", "StringLookup": "as CategoryEncoding",
            "Perceptron": "not in Keras", "LARS": "not in Keras"}


def entries():
    """(family, name, call) of every entry, from the program's own list."""
    family = None
    for line in call([PROGRAM, "vocabulary"]).splitlines():
        if line.startswith("## "):
            family = FAMILIES.get(line[3:].strip())
        found = re.match(r"\| `(\w+)` \| (?:`(.*?)`)? ?\|", line)
        if not family or not found:
            continue
        name, arguments = found[1], found[2] or ""
        if name in ARGUMENTS:
            yield family, name, f"{name}({ARGUMENTS[name]})"
            continue
        needed = [argument for argument in re.findall(r"(?:^|, )(\w+)(?=,|$)", arguments)]
        given = ", ".join(f"{argument}={REQUIRED.get(argument, '?')}" for argument in needed)
        yield family, name, f"{name}({given})"


def case_of(family, name, text):
    """A run with this entry: layers, loss, optimizer, metrics and the form of the targets."""
    case = {"name": f"{family} {name}", "loss": "CategoricalCrossentropy()", "optimizer": "SGD(0.01)", "metrics": [],
            "targets": "one_hot"}
    dense = [f"Dense({WIDTH}, activation=\"relu\")"] * 2
    last = 'Dense(10, activation="softmax")'
    if family == "layer":
        before, after = AROUND.get(name, (None, None))
        step = [layer for layer in (before, text, after) if layer]
        dense = [f"Dense({WIDTH})", *step, f"Dense({WIDTH})", *step]
    elif family == "activation":
        dense = [f"Dense({WIDTH}, activation=\"{name}\")"] * 2 if text == f"{name}()" and name[0].islower() else \
            [f"Dense({WIDTH})", text] * 2
    elif family in ("regularizer", "constraint"):
        dense = [f"Dense({WIDTH}, activation=\"relu\", kernel_{family}={text})"] * 2
    elif family == "metric":
        case["metrics"] = [text]
    else:
        case[family] = text
    if name in LABELS:
        case["targets"] = "labels"
        if family == "metric":
            case["loss"] = "SparseCategoricalCrossentropy()"
    if name == "Circle":
        dense, last = dense + ["Dense(32)"], "UnitNormalization()"
    case["layers"] = [*dense, last]
    return case


def make_data():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, ROWS)
    inputs = rng.random((ROWS, 784), np.float32) * (labels[:, None] + 1) / 10
    np.save(f"{FOLDER}/vocabulary_inputs.npy", inputs.astype(np.float32))
    np.save(f"{FOLDER}/vocabulary_labels.npy", labels.astype(np.int32))
    np.save(f"{FOLDER}/vocabulary_one_hot.npy", np.eye(10, dtype=np.float32)[labels])


def our_milliseconds(case):
    options = [f"--model.layer={layer}" for layer in case["layers"]]
    options += [f"--compile.loss={case['loss']}", f"--compile.optimizer={case['optimizer']}",
                f"--data.targets={FOLDER}/vocabulary_{case['targets']}.npy"]
    if case["metrics"]:
        options.append("--compile.metrics=" + ", ".join(case["metrics"]))
    return 1e3 * BATCH / ours(CORES, BATCH, EPOCHS, *options, config="vocabulary.ini")["samples_per_s"]


class Peer:
    """One process for all entries: it imports Keras once."""

    def __init__(self):
        command = [sys.executable, os.path.join(HERE, "peers", "keras_vocabulary.py"), FOLDER, str(BATCH), str(EPOCHS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def milliseconds(self, case):
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("peers/keras_vocabulary.py has ended")
        return json.loads(answer)


def main():
    make_data()
    wanted = os.environ.get("ENTRIES", "").split()
    peer, results = Peer(), {}
    for family, name, text in entries():
        if wanted and name not in wanted:
            continue
        if name in LEFT_OUT:
            say(f"{family} {name}: left out, {LEFT_OUT[name]}")
            continue
        if "?" in text:
            sys.exit(f"{family} {text}: give REQUIRED or ARGUMENTS of vocabulary.py what it needs")
        case = case_of(family, name, text)
        pairs = []
        for turn in range(max(1, ROUNDS)):
            theirs = peer.milliseconds(case)
            if "error" in theirs:
                break
            pairs.append((our_milliseconds(case), theirs["milliseconds"]))
            if turn == 0 and pairs[0][0] < 0.8 * pairs[0][1]:
                break  # far from 1: one round is enough
        if not pairs:
            say(f"{case['name']}: not measured, Keras says {theirs['error'][:150]}")
            continue
        ratio = statistics.median(mine / other for mine, other in pairs)
        results[case["name"]] = {"ratio": ratio, "ours_ms": statistics.median(pair[0] for pair in pairs),
                                 "keras_ms": statistics.median(pair[1] for pair in pairs), "rounds": len(pairs)}
        say("{:<44} ours {ours_ms:7.2f} ms  Keras {keras_ms:7.2f} ms  ratio {ratio:.2f}".format(case["name"],
                                                                                               **results[case["name"]]))
        if not wanted:
            save("vocabulary", results)
    slow = {name: one for name, one in results.items() if one["ratio"] > 1}
    say(f"{len(results)} entries, {len(slow)} slower than Keras" + "".join(
        f"\n  {name}: {one['ratio']:.2f}" for name, one in sorted(slow.items(), key=lambda item: -item[1]["ratio"])))


main()
