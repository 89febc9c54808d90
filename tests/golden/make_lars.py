"""Writes lars.json: ten steps of LARS, which Keras lacks, from the paper's formula in float64 (You, Gitman, Ginsburg 2017, arXiv
1708.03888, algorithm 1), with the variables and gradients of optimizers.json. Needs numpy alone.

    python3 tests/golden/make_lars.py
"""
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "optimizers.json")) as file:
    given = json.load(file)


def array(entry):
    return np.array(entry["data"], np.float64).reshape(entry["shape"])


def lars(gradients, weights, rate=0.01, momentum=0.9, trust=0.001, decay=0.0, clipvalue=None, clipnorm=None, global_clipnorm=None, accumulate=1):
    """The weights after each gradient."""
    velocity = [np.zeros_like(w) for w in weights]
    total = [np.zeros_like(w) for w in weights]
    after = []
    for step, gradient in enumerate(gradients, 1):
        total = [t + g for t, g in zip(total, gradient)]
        if step % accumulate == 0:
            g = [t / accumulate for t in total]
            total = [np.zeros_like(w) for w in weights]
            if clipvalue:
                g = [np.clip(x, -clipvalue, clipvalue) for x in g]
            if clipnorm:
                g = [x * min(1, clipnorm / np.linalg.norm(x)) for x in g]
            if global_clipnorm:
                norm = np.sqrt(sum(np.sum(x * x) for x in g))
                g = [x * min(1, global_clipnorm / norm) for x in g]
            for k, w in enumerate(weights):
                w_norm, g_norm = np.linalg.norm(w), np.linalg.norm(g[k])
                local = trust * w_norm / (g_norm + decay * w_norm) if w_norm > 0 and g_norm > 0 else 1
                velocity[k] = momentum * velocity[k] + rate * local * (g[k] + decay * w)
            weights = [w - v for w, v in zip(weights, velocity)]
        after.append(weights)
    return after


SPECS = {
    "LARS()": {},
    "LARS(1.0)": {"rate": 1.0},
    "LARS(learning_rate=1.0, momentum=0.5, trust_coefficient=0.02)": {"rate": 1.0, "momentum": 0.5, "trust": 0.02},
    "LARS(1.0, weight_decay=0.05, trust_coefficient=0.05)": {"rate": 1.0, "decay": 0.05, "trust": 0.05},
    "LARS(1.0, trust_coefficient=0.05, clipvalue=0.3)": {"rate": 1.0, "trust": 0.05, "clipvalue": 0.3},
    "LARS(1.0, weight_decay=0.05, trust_coefficient=0.05, clipnorm=0.5)": {"rate": 1.0, "decay": 0.05, "trust": 0.05, "clipnorm": 0.5},
    "LARS(1.0, weight_decay=0.05, trust_coefficient=0.05, global_clipnorm=0.8)": {"rate": 1.0, "decay": 0.05, "trust": 0.05, "global_clipnorm": 0.8},
    "LARS(1.0, trust_coefficient=0.05, gradient_accumulation_steps=2)": {"rate": 1.0, "trust": 0.05, "accumulate": 2},
}


def to_entry(w):
    return {"shape": list(w.shape), "data": [float("%.9g" % v) for v in w.ravel()]}


cases = []
for spec, arguments in SPECS.items():
    after = lars([[array(g) for g in step] for step in given["gradients"]], [array(v["value"]) for v in given["variables"]], **arguments)
    cases.append({"name": spec, "spec": spec, "learning_rates": None,
                  **{f"after_{k}": [to_entry(w) for w in after[k - 1]] for k in (1, 2, 5, 10)}})
with open(os.path.join(HERE, "lars.json"), "w") as file:
    file.write("{\"cases\":[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]}\n")
print(f"lars.json: {len(cases)} cases")
