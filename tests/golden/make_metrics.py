"""Writes metrics.json: every Keras metric over three uneven batches (see golden.py)."""
import numpy as np
from golden import array, f32, keras, make, random, short, write

ROWS = (7, 4, 2)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def data(kind, n, c, rng):
    """(y_true, y_pred) of n rows and c outputs."""
    z = rng.normal(0, 1.5, (n, c))
    label = rng.integers(0, c, n)
    bits = rng.integers(0, 2, (n, c))
    z_good = z + 1.5 * (2 * bits - 1)  # predictions that mostly agree with the targets
    onehot = np.eye(c)[label]
    z_class = z + 1.5 * onehot
    tied = np.round(softmax(z_class), 1)  # equal scores: who comes first in a top-k?
    return {
        "real": lambda: (rng.normal(0, 1.5, (n, c)), z),
        "close": lambda: (z + rng.normal(0, 0.7, (n, c)), z),
        "positive": lambda: (rng.uniform(0.05, 4, (n, c)), np.exp(0.7 * z)),
        "simplex": lambda: (softmax(rng.normal(0, 1, (n, c))), softmax(z)),
        "counts": lambda: (rng.integers(0, 5, (n, c)), np.exp(0.5 * z)),
        "sign": lambda: (2 * bits - 1, z_good),
        "bits_real": lambda: (bits, z_good),
        "bits": lambda: (bits, sigmoid(z_good)),
        "bits_flat": lambda: (bits[:, 0], sigmoid(z_good[:, :1])),   # (n,) against (n, 1)
        "rounded": lambda: (bits, np.round(sigmoid(z_good), 1)),     # scores that hit thresholds exactly
        "onehot": lambda: (onehot, softmax(z_class)),
        "onehot_logits": lambda: (onehot, z_class),
        "sparse": lambda: (label, softmax(z_class)),
        "sparse_column": lambda: (label[:, None], softmax(z_class)),
        "sparse_logits": lambda: (label, z_class),
        "onehot_tied": lambda: (onehot, tied),
        "sparse_tied": lambda: (label, tied),
        "onehot_indices": lambda: (onehot, np.where(rng.random(n) < 0.6, label, rng.integers(0, c, n))),
        "equal": lambda: (label, np.where(rng.random(n) < 0.5, label, rng.integers(0, c, n))),
        "class_indices": lambda: (label, np.where(rng.random(n) < 0.6, label, rng.integers(0, c, n))),
    }[kind]()


cases = []


def add(spec, kind, columns=4, weighted=False):
    name = f"{spec}/{kind}{columns}" + ("/weighted" if weighted else "")
    rng = random(name)
    metric = make(keras.metrics, spec)
    batches = []
    for n in ROWS:
        y_true, y_pred = (short(a) for a in data(kind, n, columns, rng))
        weight = short(rng.uniform(0.2, 3, n)) if weighted else None
        if weighted and n > 2:
            weight[1] = 0
        metric.update_state(y_true, y_pred, weight)
        batches.append({"y_true": array(y_true), "y_pred": array(y_pred), "sample_weight": array(weight)})
    result = np.asarray(metric.result())
    assert np.all(np.isfinite(result)), name
    cases.append({"name": name, "spec": spec, "history_key": metric.name,
                  "direction": getattr(metric, "_direction", None), "batches": batches,
                  "result": float(result) if result.ndim == 0 else array(result)})


def both(specs, kinds, columns=4):
    for spec in specs.split(" | "):
        for kind in kinds.split():
            add(spec, kind, columns)
            add(spec, kind, columns, weighted=True)


both("Accuracy()", "equal")
both("BinaryAccuracy() | binary_accuracy | BinaryAccuracy(threshold=0.7)", "bits")
both("BinaryAccuracy()", "bits bits_flat", 1)
both("CategoricalAccuracy() | categorical_accuracy", "onehot onehot_tied")
both("SparseCategoricalAccuracy() | sparse_categorical_accuracy", "sparse sparse_column sparse_tied")
both("TopKCategoricalAccuracy() | TopKCategoricalAccuracy(k=2)", "onehot", 7)
both("TopKCategoricalAccuracy(k=2)", "onehot_tied", 7)
both("SparseTopKCategoricalAccuracy() | SparseTopKCategoricalAccuracy(k=2) | SparseTopKCategoricalAccuracy(3)", "sparse", 7)
both("SparseTopKCategoricalAccuracy(k=2)", "sparse_tied", 7)
both("TruePositives() | TrueNegatives() | FalsePositives() | FalseNegatives() | TruePositives(thresholds=0.7) | "
     "FalsePositives(thresholds=[0.2, 0.5, 0.8])", "bits", 1)
both("TrueNegatives(thresholds=[0.3, 0.6])", "bits", 1)
both("TruePositives() | FalseNegatives(thresholds=[0.3, 0.6])", "bits rounded", 3)
both("Precision() | Recall() | Precision(thresholds=0.7) | Recall(thresholds=0.3) | Precision(thresholds=[0.2, 0.5, 0.8]) | "
     "Recall([0.2, 0.5, 0.8])", "bits rounded", 1)
both("Precision() | Recall() | Precision(class_id=1) | Recall(class_id=2, thresholds=0.4)", "bits", 4)
both("Precision(top_k=1) | Recall(top_k=2) | Precision(top_k=2, class_id=1) | Recall(top_k=2, class_id=0) | "
     "Precision(thresholds=0.3, top_k=2)", "onehot bits", 5)
both('AUC() | AUC(curve="PR") | AUC(num_thresholds=20) | AUC(num_thresholds=20, curve="PR") | '
     'AUC(summation_method="minoring", num_thresholds=11) | AUC(summation_method="majoring", num_thresholds=11) | '
     'AUC(curve="PR", summation_method="minoring", num_thresholds=11) | '
     'AUC(curve="PR", summation_method="majoring", num_thresholds=11) | AUC(thresholds=[0.1, 0.35, 0.6, 0.9])',
     "bits rounded", 1)
both('AUC() | AUC(num_thresholds=3)', "bits_flat", 1)
both('AUC(curve="PRGAIN") | AUC(curve="PRGAIN", num_thresholds=20)', "bits", 1)
both('AUC(from_logits=True)', "bits_real", 1)
both('AUC() | AUC(multi_label=True) | AUC(multi_label=True, curve="PR", num_thresholds=50) | '
     'AUC(multi_label=True, num_labels=3, label_weights=[0.5, 1.0, 2.0])', "bits", 3)
both("PrecisionAtRecall(0.6) | RecallAtPrecision(0.7) | SensitivityAtSpecificity(0.5) | SpecificityAtSensitivity(0.5) | "
     "PrecisionAtRecall(0.8, num_thresholds=20) | RecallAtPrecision(0.9, num_thresholds=20) | "
     "SensitivityAtSpecificity(0.8, num_thresholds=20) | SpecificityAtSensitivity(0.8, num_thresholds=20)", "bits", 1)
both("RecallAtPrecision(0.999)", "rounded", 1)
both("PrecisionAtRecall(0.5, class_id=1) | SensitivityAtSpecificity(0.5, class_id=1) | RecallAtPrecision(0.5, class_id=2) | "
     "SpecificityAtSensitivity(0.5, class_id=0)", "bits", 3)
both('F1Score() | F1Score(average="micro") | F1Score(average="macro") | F1Score(average="weighted") | '
     'F1Score(threshold=0.4) | FBetaScore(beta=2.0) | FBetaScore(average="macro", beta=0.5) | '
     'FBetaScore(average="weighted", beta=2.0, threshold=0.3)', "onehot", 3)
both('F1Score(threshold=0.5) | F1Score(average="micro", threshold=0.5)', "bits", 3)
both("F1Score(threshold=0.5)", "bits", 1)
both("MeanSquaredError() | mse | mean_squared_error | RootMeanSquaredError() | root_mean_squared_error | "
     "MeanAbsoluteError() | mae | LogCoshError()", "real")
both("MeanSquaredError() | RootMeanSquaredError() | MeanAbsoluteError() | LogCoshError()", "real", 1)
both("MeanAbsolutePercentageError() | mape | MeanSquaredLogarithmicError() | msle", "positive")
both('R2Score() | R2Score(class_aggregation=None) | R2Score(class_aggregation="variance_weighted_average") | '
     'R2Score(num_regressors=2)', "close", 3)
both("R2Score() | r2_score", "close", 1)
both("CosineSimilarity() | cosine_similarity | CosineSimilarity(axis=1)", "real")
both("KLDivergence()", "simplex")
both("Poisson()", "counts")
both("BinaryCrossentropy() | BinaryCrossentropy(label_smoothing=0.1) | binary_crossentropy", "bits")
both("BinaryCrossentropy(from_logits=True)", "bits_real")
both("CategoricalCrossentropy() | CategoricalCrossentropy(label_smoothing=0.1) | categorical_crossentropy", "onehot")
both("CategoricalCrossentropy(from_logits=True)", "onehot_logits")
both("SparseCategoricalCrossentropy() | sparse_categorical_crossentropy", "sparse sparse_column")
both("SparseCategoricalCrossentropy(from_logits=True) | SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)", "sparse_logits")
both("Hinge() | SquaredHinge() | hinge", "sign bits_real")
both("CategoricalHinge()", "onehot_logits")
both("PearsonCorrelation() | ConcordanceCorrelation()", "close", 5)
both("MeanIoU(num_classes=3) | IoU(num_classes=3, target_class_ids=[0, 2]) | MeanIoU(num_classes=3, ignore_class=1)", "class_indices", 3)
both("MeanIoU(num_classes=3, sparse_y_pred=False)", "sparse", 3)
both("BinaryIoU() | BinaryIoU(target_class_ids=[1], threshold=0.3)", "bits", 1)
both("OneHotIoU(num_classes=3, target_class_ids=[0, 1]) | OneHotMeanIoU(num_classes=3)", "onehot", 3)

both("IoU(num_classes=3, target_class_ids=[0, 2], ignore_class=1)", "class_indices", 3)
both("IoU(num_classes=3, target_class_ids=[1, 2], sparse_y_pred=False)", "sparse", 3)
both("IoU(num_classes=3, target_class_ids=[0, 1], sparse_y_true=False, sparse_y_pred=False) | "
     "MeanIoU(num_classes=3, sparse_y_true=False, sparse_y_pred=False)", "onehot", 3)
both("OneHotIoU(num_classes=3, target_class_ids=[0, 1], ignore_class=2) | OneHotMeanIoU(num_classes=3, ignore_class=0)", "onehot", 3)
both("OneHotIoU(num_classes=3, target_class_ids=[0, 2], sparse_y_pred=True) | OneHotMeanIoU(num_classes=3, sparse_y_pred=True)",
     "onehot_indices", 3)

write("metrics", cases)
