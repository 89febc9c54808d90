"""Writes evaluation.json: what scikit-learn says about predictions for its own data sets.

    python3 -m venv env && env/bin/pip install scikit-learn
    env/bin/python tests/golden/make_evaluation.py

Each case holds predictions (float32, cross-validated), targets, the text of classification_report and the numbers
that `nntrain-dist evaluate --json` prints. Every number was computed by scikit-learn from the float32 values as float64.
"""
import json
import pathlib

import numpy as np
from sklearn import datasets, metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

cases = []
QUANTILES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]


def numbers(array):
    """Text that gives back the same float32."""
    return [float(np.format_float_positional(np.float32(v), unique=True)) for v in np.asarray(array).ravel()]


def scores(report):
    return {name: value for name, value in report.items() if isinstance(value, dict)}


def classes(truth, predicted, names):
    labels = range(len(names))
    common = dict(labels=labels, target_names=names, zero_division=0)
    return {
        "class_names": list(names),
        "confusion_matrix": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
        "report": scores(metrics.classification_report(truth, predicted, output_dict=True, **common)),
        "accuracy": metrics.accuracy_score(truth, predicted),
    }, metrics.classification_report(truth, predicted, **common)


def areas(truth, score):
    return {"roc_auc": metrics.roc_auc_score(truth, score), "pr_auc": metrics.average_precision_score(truth, score)}


def thresholds(truth, score):
    """The highest threshold of the best F1 and of the best Youden's J."""
    precision, recall, at = metrics.precision_recall_curve(truth, score)
    f1 = [metrics.f1_score(truth, score >= t) for t in at]
    best = max(range(len(at)), key=lambda i: (f1[i], at[i]))
    fpr, tpr, roc_at = metrics.roc_curve(truth, score, drop_intermediate=False)
    youden = max(range(1, len(roc_at)), key=lambda i: (tpr[i] - fpr[i], roc_at[i]))
    return {"f1": [float(at[best]), f1[best]], "youden": [float(roc_at[youden]), float(tpr[youden] - fpr[youden])]}


def calibration_error(confidence, right, bins=10):
    edge = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1)
    return float(sum((edge == b).mean() * abs(right[edge == b].mean() - confidence[edge == b].mean())
                     for b in range(bins) if (edge == b).any()))


def add(name, loss, predictions, targets, names, expected, **more):
    predictions = np.asarray(predictions)
    cases.append({"name": name, "loss": loss, "outputs": int(predictions.shape[1]), "names": list(names),
                  "predictions": numbers(predictions), "targets": numbers(targets), "expected": expected, **more})


def probabilities(x, y, strength):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
    p = cross_val_predict(model, x, y, cv=5, method="predict_proba")
    return p.astype(np.float32)


def multiclass():
    iris = datasets.load_iris()
    names = [*iris.target_names, "unseen"]  # a class without rows: zero_division
    p = probabilities(iris.data[:, :2], iris.target, 0.05)
    p = np.hstack([p, np.zeros((len(p), 1), np.float32)])
    predicted = p.argmax(1)
    expected, text = classes(iris.target, predicted, names)
    confidence = p.max(1).astype(np.float64)
    add("iris", "sparse_categorical_crossentropy", p, iris.target, names, expected, text=text,
        top_2=metrics.top_k_accuracy_score(iris.target, p, k=2, labels=range(4)),
        calibration_error=calibration_error(confidence, (predicted == iris.target)))


def binary():
    cancer = datasets.load_breast_cancer()
    score = probabilities(cancer.data[:, 4:8], cancer.target, 0.01)[:, 1].round(3)  # rounded: ties
    predicted = (score > 0.5).astype(int)
    expected, text = classes(cancer.target, predicted, cancer.target_names)
    expected |= areas(cancer.target, score)
    confidence = np.where(predicted == 1, score.astype(np.float64), 1 - score.astype(np.float64)).astype(np.float32)
    add("breast_cancer", "binary_crossentropy", score[:, None], cancer.target, cancer.target_names, expected, text=text,
        thresholds=thresholds(cancer.target, score),
        calibration_error=calibration_error(confidence.astype(np.float64), predicted == cancer.target))


def multilabel():
    cancer = datasets.load_breast_cancer()
    x, names = cancer.data[:, :6], ["benign", "large", "rough"]
    truth = np.stack([cancer.target, cancer.data[:, 20] > np.median(cancer.data[:, 20]),
                      cancer.data[:, 24] > np.median(cancer.data[:, 24])], 1).astype(int)
    score = np.stack([probabilities(x, truth[:, i], 0.01)[:, 1] for i in range(3)], 1)
    predicted = (score > 0.5).astype(int)
    common = dict(target_names=names, zero_division=0)
    expected = {"class_names": names,
                "report": metrics.classification_report(truth, predicted, output_dict=True, **common),
                "accuracy": metrics.accuracy_score(truth, predicted),
                "labels": {name: classes(truth[:, i], predicted[:, i], ["0", "1"])[0] | areas(truth[:, i], score[:, i])
                           for i, name in enumerate(names)}}
    add("breast_cancer_findings", "binary_crossentropy", score, truth, names, expected,
        text=metrics.classification_report(truth, predicted, **common))


def regression(name, data, names):
    x, y = data.data, data.target.reshape(len(data.data), -1).astype(np.float32).astype(np.float64)
    p = cross_val_predict(make_pipeline(StandardScaler(), Ridge()), x, y, cv=5).reshape(y.shape).astype(np.float32)
    exact = p.astype(np.float64)

    def of(truth, predicted):
        return {"mae": metrics.mean_absolute_error(truth, predicted),
                "rmse": metrics.root_mean_squared_error(truth, predicted), "r2": metrics.r2_score(truth, predicted)}
    expected = of(y, exact)
    if y.shape[1] > 1:
        expected["outputs"] = {n: of(y[:, i], exact[:, i]) for i, n in enumerate(names)}
    add(name, "mean_squared_error", p, y, names, expected,
        residual_quantiles=[np.quantile(y[:, i] - exact[:, i], QUANTILES).tolist() for i in range(y.shape[1])])


multiclass()
binary()
multilabel()
regression("diabetes", datasets.load_diabetes(), ["progression"])
regression("linnerud", datasets.load_linnerud(), ["weight", "waist", "pulse"])
path = pathlib.Path(__file__).with_name("evaluation.json")
path.write_text(json.dumps({"cases": cases}) + "\n")
