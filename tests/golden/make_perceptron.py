"""Writes runs/perceptron_*/ and runs/sgd_*/: scikit-learn's Perceptron and SGDClassifier with shuffle=False, as config.ini
and expected.json {"coef", "intercept", ...}. Data as make_runs.py writes it (run that first). See golden.py for the environment.

The same updates are made once more in float32, as nntrain-dist makes them; the two must agree to 1e-5.
"""
import csv
import json
import os
import shutil

import numpy as np
from golden import HERE, to_json
from sklearn.linear_model import Perceptron, SGDClassifier

PETALS = "petal_length, petal_width"
IRIS = "../../data/iris.csv"
SORTED = "../../data/iris_sorted.csv"


def iris(source, columns):
    with open(os.path.join(HERE, "runs", "x", source).replace("runs/x/../../", "")) as file:
        head, *rows = csv.reader(file)
    picked = [head.index(c.strip()) for c in columns.split(",")]
    return np.array([[float(r[i]) for i in picked] for r in rows]), np.array([r[-1] for r in rows])


def replay(x, targets, epochs, rate, alpha, loss):
    """The updates in float32: targets (n, outputs) of -1 and 1."""
    x = x.astype(np.float32)
    w, b = np.zeros((x.shape[1], targets.shape[1]), np.float32), np.zeros(targets.shape[1], np.float32)
    for _ in range(epochs):
        for row, t in zip(x, targets.astype(np.float32)):
            z = row @ w + b
            if loss == "log_loss":
                g = -t / (1 + np.exp(t * z))
            else:
                g = np.where(t * z <= (0 if loss == "perceptron" else 1), -t, 0)
            g = g.astype(np.float32)
            w = w - np.float32(rate) * (np.outer(row, g) + np.float32(alpha) * w)
            b = b - np.float32(rate) * g
    return w, b


def run(name, about, source, columns, epochs, loss="perceptron", positive=None, rate=1.0, alpha=0.0):
    x, species = iris(source, columns)
    classes = sorted(set(species))
    if loss == "perceptron":
        model = Perceptron(shuffle=False, tol=None, max_iter=epochs)
        text = f"Perceptron(shuffle=False, tol=None, max_iter={epochs})"
        # The perceptron's loss is summed over the outputs of a row (one perceptron each), so the rate is scikit-learn's.
        layer, keras_loss, factor = 'Dense({}, kernel_initializer="zeros")', "perceptron", 1
    else:
        model = SGDClassifier(loss=loss, penalty="l2", alpha=alpha, learning_rate="constant", eta0=rate, shuffle=False,
                              tol=None, max_iter=epochs)
        text = (f'SGDClassifier(loss="{loss}", penalty="l2", alpha={alpha}, learning_rate="constant", eta0={rate}, '
                f"shuffle=False, tol=None, max_iter={epochs})")
        keras_loss = "hinge" if loss == "hinge" else "BinaryCrossentropy(from_logits=True)"
        # Keras takes the mean over the outputs of a row, scikit-learn trains one model per class: their number makes up for it.
        outputs = 1 if positive else len(classes)
        layer = f'Dense({{}}, kernel_initializer="zeros", kernel_regularizer=L2({alpha / 2 / outputs:.9g}))'
        factor = outputs
    if positive:
        model.fit(x, (species == positive).astype(int))
        targets = np.where(species == positive, 1, -1)[:, None]
    else:
        model.fit(x, species)
        targets = np.where(species[:, None] == np.array(classes), 1, -1)
    w, b = replay(x, targets, epochs, rate, alpha, loss)
    off = max(np.max(np.abs(w.T - model.coef_)), np.max(np.abs(b - model.intercept_)))
    assert off < 1e-5 * max(1, np.max(np.abs(model.coef_))), (name, off)
    folder = os.path.join(HERE, "runs", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    lines = [f"# {about} Equals scikit-learn's", f"# {text}.", "", "[data]", f"inputs             = {source}",
             f"input_columns      = {columns}", "target_columns     = species"]
    lines += [f"positive_class     = {positive}"] if positive else []
    lines += ["", "[model]", f"layer              = {layer.format(targets.shape[1])}", "", "[compile]",
              f"loss               = {keras_loss}", f"optimizer          = SGD(learning_rate={rate * factor:.9g})", "", "[fit]",
              "shuffle            = false", f"epochs             = {epochs}", "batch_size         = 1", "", "[run]",
              "seed               = 0"]
    with open(os.path.join(folder, "config.ini"), "w") as file:
        file.write("\n".join(lines) + "\n")
    question = model.predict(np.array([[2.0, 0.5]]))[0] if columns == PETALS else None
    expected = {"scikit_learn": text, "columns": columns, "classes": classes,
                "coef": {"shape": list(model.coef_.shape), "data": model.coef_},
                "intercept": {"shape": list(model.intercept_.shape), "data": model.intercept_},
                "accuracy": float(model.score(x, (species == positive).astype(int) if positive else species)),
                "predict_2_0.5": None if question is None else str(question), "float32_difference": float(off)}
    text = to_json(expected, indent=1) + "\n"
    json.loads(text)
    with open(os.path.join(folder, "expected.json"), "w") as file:
        file.write(text)
    print(f"{name}: coef {np.round(model.coef_, 4).tolist()}, float32 is off by {off:.1e}")


ALL = "sepal_length, sepal_width, petal_length, petal_width"
run("perceptron_setosa", "Setosa against the rest on petal length and width, rows in the order of the file.", SORTED, PETALS, 10,
    positive="setosa")
run("perceptron_setosa_mixed", "Setosa against the rest, rows in mixed order.", IRIS, PETALS, 5, positive="setosa")
run("perceptron_virginica", "Not separable: it never comes to rest.", IRIS, PETALS, 4, positive="virginica")
run("perceptron_multiclass", "One output per class, one against the rest.", IRIS, ALL, 5)
run("sgd_hinge_setosa", "A linear support vector machine.", IRIS, PETALS, 5, "hinge", "setosa", 0.01, 0.01)
run("sgd_hinge_multiclass", "One against the rest with hinge loss.", IRIS, ALL, 4, "hinge", None, 0.01, 0.001)
run("sgd_log_versicolor", "Logistic regression by SGD.", IRIS, ALL, 5, "log_loss", "versicolor", 0.01, 0.001)
run("sgd_log_multiclass", "Logistic regression, one against the rest.", IRIS, PETALS, 4, "log_loss", None, 0.05, 0.01)
