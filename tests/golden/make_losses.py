"""Writes losses.json: value and gradient of every Keras loss that makes sense for vectors (see golden.py)."""
import numpy as np
from golden import array, f32, keras, make, random, short, vjp, write


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def data(kind, shape, rng):
    """(y_true, y_pred) of a kind; y_pred has `shape`."""
    z = rng.normal(0, 1.5, shape)
    classes = shape[-1]
    label = rng.integers(0, classes, shape[:-1])
    bits = rng.integers(0, 2, shape)
    onehot = np.eye(classes)[label]
    return {
        "real": lambda: (rng.normal(0, 1.5, shape), z),
        "positive": lambda: (rng.uniform(0.05, 4, shape), np.exp(0.7 * z)),
        "counts": lambda: (rng.integers(0, 5, shape), np.exp(0.5 * z)),
        "simplex": lambda: (softmax(rng.normal(0, 1, shape)), softmax(z)),
        "sign": lambda: (2 * bits - 1, z),
        "bits_real": lambda: (bits, z),           # hinges turn 0/1 targets into -1/1
        "bits": lambda: (bits, sigmoid(z)),
        "bits_logits": lambda: (bits, z),
        "onehot": lambda: (onehot, softmax(z)),
        "onehot_unnormalized": lambda: (onehot, np.exp(0.5 * z)),
        "onehot_logits": lambda: (onehot, z),
        "onehot_real": lambda: (onehot, z),
        "sparse": lambda: (label, softmax(z)),
        "sparse_column": lambda: (label[..., None], softmax(z)),
        "sparse_logits": lambda: (label, z),
        "sparse_ignore": lambda: (np.where(np.arange(label.size).reshape(label.shape) % 3 == 1, -1, label), softmax(z)),
        "sparse_ignore_logits": lambda: (np.where(label == 2, 2, label), z),
        "embedding": lambda: (rng.integers(0, 2, shape[0]), z / np.linalg.norm(z, axis=-1, keepdims=True)),
    }[kind]()


cases = []


def add(spec, kind, shape=(6, 4), weights=None, function=None, name=None, y_true=None, y_pred=None, cross_rows=False):
    """One case. weights: None, or the shape of a random sample_weight (with one zero)."""
    base = name or f"{spec}/{kind}/{'x'.join(map(str, shape))}"
    base += "" if weights is None else "/weighted" + ("" if weights == shape[:1] else "_" + "x".join(map(str, weights)))
    rng = random(base)
    if y_true is None:
        y_true, y_pred = data(kind, shape, rng)
    y_true, y_pred = short(y_true), short(y_pred)
    sample_weight = None
    if weights is not None:
        sample_weight = short(rng.uniform(0.2, 3, weights))
        sample_weight.flat[1] = 0
    loss = make(keras.losses, spec)
    if not isinstance(loss, keras.losses.Loss):
        loss = keras.losses.LossFunctionWrapper(loss) if hasattr(keras.losses, "LossFunctionWrapper") else None
    value, (gradient,) = vjp(lambda p: loss(y_true, p, sample_weight), (y_pred,), f32(1))
    assert np.isfinite(np.asarray(value)) and np.all(np.isfinite(np.asarray(gradient))), base
    if function is not None and weights is None and "(" in spec and spec.endswith("()"):
        values = np.asarray(getattr(keras.losses, function)(y_true, y_pred))
        if "ignore" not in spec:
            assert np.allclose(values.mean(), float(value), rtol=1e-5), (spec, values.mean(), value)
    cases.append({"name": base, "spec": spec, "function_name": function, "y_true": array(y_true),
                  "y_pred": array(y_pred), "sample_weight": array(sample_weight), "value": float(value),
                  "d_y_pred": array(np.asarray(gradient)), "cross_rows": cross_rows})


def family(function, cls, kinds, variants=(), reductions=False, rank3=False, shapes=((6, 4),)):
    """Plain and weighted, then argument variants, reductions and a rank-3 output of one loss."""
    for kind in kinds:
        for shape in shapes:
            add(f"{cls}()", kind, shape, function=function)
            add(f"{cls}()", kind, shape, weights=shape[:1], function=function)
    for variant in variants:
        kind, arguments = variant if isinstance(variant, tuple) else (kinds[0], variant)
        add(f"{cls}({arguments})", kind, shapes[0])
    if reductions:
        for reduction in ("sum", "mean", "mean_with_sample_weight", "sum_over_batch_size"):
            for weights in (None, shapes[0][:1]):
                add(f'{cls}(reduction="{reduction}")', kinds[0], shapes[0], weights)
    if rank3:
        add(f"{cls}()", kinds[0], (4, 3, 5), function=function)
        add(f"{cls}()", kinds[0], (4, 3, 5), (4, 3), function=function)
        add(f"{cls}()", kinds[0], (4, 3, 5), (4, 1), function=function)
        add(f'{cls}(reduction="mean_with_sample_weight")', kinds[0], (4, 3, 5), (4, 3))


WIDE = ((6, 4), (5, 1))
family("mean_squared_error", "MeanSquaredError", ["real"], reductions=True, rank3=True, shapes=WIDE)
family("mean_absolute_error", "MeanAbsoluteError", ["real"], rank3=True, shapes=WIDE)
family("mean_absolute_percentage_error", "MeanAbsolutePercentageError", ["real", "positive"], shapes=WIDE)
family("mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", ["positive", "real"])
family("huber", "Huber", ["real"], ["delta=2.0", "delta=0.3", "0.5"], reductions=True, rank3=True, shapes=WIDE)
family("log_cosh", "LogCosh", ["real"], rank3=True)
family("cosine_similarity", "CosineSimilarity", ["real"], ["axis=-1", "axis=1"], rank3=True)
family("kl_divergence", "KLDivergence", ["simplex"], rank3=True)
family("poisson", "Poisson", ["counts"], shapes=WIDE)
family("hinge", "Hinge", ["sign", "bits_real"], reductions=True, shapes=WIDE)
family("squared_hinge", "SquaredHinge", ["sign", "bits_real"], shapes=WIDE)
family("categorical_hinge", "CategoricalHinge", ["onehot_real"])
family("binary_crossentropy", "BinaryCrossentropy", ["bits"],
       ["label_smoothing=0.2", ("bits_logits", "from_logits=True"),
        ("bits_logits", "from_logits=True, label_smoothing=0.1"), "axis=-1"],
       reductions=True, rank3=True, shapes=WIDE)
family("binary_focal_crossentropy", "BinaryFocalCrossentropy", ["bits"],
       ["gamma=3.0", "gamma=0.0", "apply_class_balancing=True", "apply_class_balancing=True, alpha=0.7, gamma=1.5",
        ("bits_logits", "from_logits=True"), ("bits_logits", "from_logits=True, apply_class_balancing=True"),
        "label_smoothing=0.1", ("bits_logits", "from_logits=True, label_smoothing=0.1, gamma=1.0")],
       rank3=True, shapes=WIDE)
family("categorical_crossentropy", "CategoricalCrossentropy", ["onehot", "onehot_unnormalized", "simplex"],
       ["label_smoothing=0.1", ("onehot_logits", "from_logits=True"),
        ("onehot_logits", "from_logits=True, label_smoothing=0.3")], reductions=True, rank3=True)
family("categorical_focal_crossentropy", "CategoricalFocalCrossentropy", ["onehot", "onehot_unnormalized"],
       ["gamma=1.0", "alpha=0.6, gamma=3.0", "alpha=[0.1, 0.2, 0.3, 0.4]", ("onehot_logits", "from_logits=True"),
        "label_smoothing=0.1", ("onehot_logits", "from_logits=True, label_smoothing=0.2, alpha=0.5")], rank3=True)
family("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", ["sparse", "sparse_column"],
       [("sparse_logits", "from_logits=True")], reductions=True, rank3=True)
S = "SparseCategoricalCrossentropy"
for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
    for weights in (None, (6,)):
        add(f'{S}(ignore_class=-1, reduction="{reduction}")', "sparse_ignore", weights=weights)
add(f"{S}(from_logits=True, ignore_class=2)", "sparse_ignore_logits", (8, 4))
add(f"{S}(from_logits=True, ignore_class=2)", "sparse_ignore_logits", (8, 4), (8,))
add(f"{S}(ignore_class=-1)", "sparse_ignore", (4, 3, 5))
add("CategoricalGeneralizedCrossEntropy(q=0.5)", "sparse")
add("CategoricalGeneralizedCrossEntropy(q=0.9)", "sparse", weights=(6,))
# These sum over the whole batch (axis=None) or compare its rows with one another.
for cls in ("Dice", "Tversky"):
    add(f"{cls}()", "bits", function=cls.lower(), cross_rows=True)
    add(f"{cls}(axis=-1)", "bits")
    add(f"{cls}(axis=-1)", "bits", weights=(6,))
add("Tversky(alpha=0.3, beta=0.7)", "bits", cross_rows=True)
add("Tversky(alpha=0.3, beta=0.7, axis=-1)", "bits")
add("Circle()", "embedding", (6, 4), function="circle", cross_rows=True)
add("Circle(gamma=8, margin=0.25)", "embedding", (7, 3), cross_rows=True)

add("Circle()", "embedding", (6, 4), weights=(6,), cross_rows=True)
add("Circle(remove_diagonal=False)", "embedding", (6, 4), cross_rows=True)
add('Circle(gamma=20, reduction="sum")', "embedding", (7, 3), cross_rows=True)
add("Circle(gamma=20)", "", name="Circle(gamma=20)/alone", y_true=[0, 1, 2, 1], cross_rows=True,
    y_pred=[[1, 0, 0], [0, 0.6, 0.8], [0, 1, 0], [0.8, 0.6, 0]])
for cls in ("Dice", "Tversky"):
    add(f"{cls}()", "bits", weights=(6,), cross_rows=True)
    add(f'{cls}(reduction="mean")', "bits", cross_rows=True)
    add(f'{cls}(reduction="mean_with_sample_weight")', "bits", weights=(6,), cross_rows=True)
    add(f'{cls}(axis=-1, reduction="sum")', "bits")
    add(f"{cls}()", "bits", (4, 3, 5), cross_rows=True)
for cls, kind in (("MeanAbsoluteError", "real"), ("MeanAbsolutePercentageError", "positive"), ("MeanSquaredLogarithmicError", "positive"),
                  ("LogCosh", "real"), ("Poisson", "counts"), ("KLDivergence", "simplex"), ("CosineSimilarity", "real"),
                  ("SquaredHinge", "sign"), ("CategoricalHinge", "onehot_real"), ("BinaryFocalCrossentropy", "bits"),
                  ("CategoricalFocalCrossentropy", "onehot")):
    for reduction in ("sum", "mean_with_sample_weight"):
        add(f'{cls}(reduction="{reduction}")', kind, weights=(6,))
add('CategoricalGeneralizedCrossEntropy(q=0.3, reduction="sum")', "sparse")


def perceptron(reduction, weights):
    """scikit-learn's own loss: its Hinge with the threshold 0, one class against the rest, summed over the outputs."""
    from sklearn.linear_model._sgd_fast import Hinge
    name = f'Perceptron(reduction="{reduction}")' + ("/weighted" if weights else "")
    rng = random(name)
    t, p = short(rng.integers(0, 2, (6, 3))), short(rng.normal(0, 1.5, (6, 3)))
    p[0, 0] = 0  # counts as wrong
    w = short(rng.uniform(0.2, 3, 6)) if weights else None
    loss = Hinge(0.0)
    value = np.array([[loss.py_loss(float(b), float(2 * a - 1)) for a, b in zip(x, y)] for x, y in zip(t, p)])
    slope = np.array([[loss.py_dloss(float(b), float(2 * a - 1)) for a, b in zip(x, y)] for x, y in zip(t, p)])
    scale = (np.ones(6) if w is None else w.astype(float)) / {"sum": 1, "sum_over_batch_size": 6, "mean_with_sample_weight": 6 if w is None else w.sum()}[reduction]
    cases.append({"name": name, "spec": f'Perceptron(reduction="{reduction}")', "function_name": "perceptron", "y_true": array(t), "y_pred": array(p),
                  "sample_weight": array(w), "value": float(np.sum(scale[:, None] * value)), "d_y_pred": array(f32(scale[:, None] * slope)), "cross_rows": False})


for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
    for weights in (False, True):
        perceptron(reduction, weights)

# Shapes that Keras squeezes: targets (n,) against outputs (n, 1), in both spellings.
rng = random("squeeze")
t, p = rng.normal(0, 1, 6), rng.normal(0, 1, (6, 1))
for spec in ("MeanSquaredError()", "MeanAbsoluteError()", "Huber()", "LogCosh()"):
    add(spec, "", (6,), name=spec + "/target_n", y_true=t, y_pred=p)
b = rng.integers(0, 2, 6)
for spec in ("BinaryCrossentropy(from_logits=True)", "Hinge()"):
    add(spec, "", (6, 1), name=spec + "/target_n1", y_true=b[:, None], y_pred=p)

# Saturated outputs: the clipping by epsilon 1e-7 and the stable forms from logits.
pred = [[1, 0, 0], [0, 1, 0], [1e-8, 0.5, 0.5], [0.2, 0.3, 0.5]]
hot = [[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
z = [[30, -30, 0], [-60, 60, 0], [5, 5, 5], [-3, 1, 90]]
add("CategoricalCrossentropy()", "", (4, 3), name="CategoricalCrossentropy()/saturated", y_true=hot, y_pred=pred)
add("SparseCategoricalCrossentropy()", "", (4, 3), name=S + "()/saturated", y_true=[1, 1, 0, 2], y_pred=pred)
add("BinaryCrossentropy()", "", (4, 3), name="BinaryCrossentropy()/saturated", y_true=hot, y_pred=pred)
for spec, y in (("CategoricalCrossentropy(from_logits=True)", hot), (S + "(from_logits=True)", [1, 1, 0, 2]),
                ("BinaryCrossentropy(from_logits=True)", hot), ("KLDivergence()", None), ("LogCosh()", hot)):
    if y is None:
        add(spec, "", (4, 3), name=spec + "/saturated", y_true=hot, y_pred=pred)
    else:
        add(spec, "", (4, 3), name=spec + "/saturated", y_true=y, y_pred=z)

write("losses", cases)
