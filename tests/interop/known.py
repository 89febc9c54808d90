"""What older versions of Keras do not have or do differently, with files of their own, too: reasons for cases that cannot
agree. A case that disagrees for none of these reasons fails tests/interop/run.sh. A reason that no case needs is a fault
of this list, and table.py says so."""
import re
from dataclasses import dataclass


@dataclass
class Known:
    versions: tuple   # beginnings of version numbers
    kind: str
    text: str         # a regular expression that matches the whole text of the case
    checks: tuple     # what may disagree: h5, keras, json, npz, onnx, evaluation, epoch, fresh
    reason: str


FROM_3, FROM_3_9 = ("3.0.", "3.3."), ("3.0.", "3.3.", "3.9.")
WHOLE = ("h5", "keras", "json", "npz", "evaluation", "epoch", "fresh")

KNOWN = [
    Known(("2.15.",), "activation", "hard_sigmoid", ("h5", "evaluation", "fresh"),
          "Keras 2 has another function of this name: clip(0.2 x + 0.5, 0, 1). Keras 3, and this program, have relu6(x + 3) / 6"),
    Known(("2.15.",), "layer", r"Discretization\(num_bins=.*", ("h5",),
          "Keras 2.15 does not take the boundaries that were learned beside num_bins, which newer Keras writes, too"),
    Known(("2.15.",), "layer", r"Hashing\(.*", ("h5",),
          "Keras 2.15 hashes whole numbers and text; the inputs of these files are float32"),
    Known(("2.15.",), "layer", r"(Integer|String)Lookup\(vocabulary=\[[^\]]*\]\)", ("h5",),
          "Keras 2.15 wants dtype int64 where this layer gives whole numbers; these files say float32"),
    Known(("2.15.",), "optimizer", r"AdamW.*|Lion.*|Adafactor.*|.*(weight_decay|gradient_accumulation|use_ema).*", ("h5",),
          "a file without Keras 2.15's own mark gets the optimizers of Keras 2.10, which lack these; the mark makes the file "
          "unreadable in Keras 3. load_model(file, compile=False) opens it"),
    Known(("2.15.",), "optimizer", r"(Nadam|RMSprop|Ftrl|Adadelta|Adagrad)\(.*", ("fresh",),
          "the optimizers of Keras 2.10, which a file without Keras 2.15's own mark gets, take other steps"),
    Known(("3.0.",), "layer", r"Dense\(5, trainable=False\)", ("fresh", "epoch"),
          "Keras 3.0 trains a layer that was made with trainable=False"),
    Known(FROM_3, "layer", r"Normalization\((axis=None)?\)", ("h5", "evaluation", "fresh"),
          "Keras 3.0 to 3.3 read a Normalization's weights from .h5 and do not put them into effect, in files of their own, too: "
          "open the .keras, or call the layer's finalize_state() after loading"),
    Known(FROM_3, "layer", r"Normalization\(mean=0\.5.*", WHOLE,
          "Keras 3.0 to 3.3 do not take one number as mean and variance of several columns; give lists"),
    Known(FROM_3_9, "layer", r"ActivityRegularization\(.*", ("evaluation", "fresh", "epoch"),
          "Keras 3.0 to 3.9 add the penalty of a whole batch; Keras 2, newer Keras 3 and this program its mean over the samples"),
    Known(FROM_3_9, "activation", r"(ReLU|ELU|LeakyReLU)\(.*", WHOLE,
          "Keras 3.0 to 3.9 cannot read a layer as another layer's activation; write it as a layer of its own"),
    Known(("3.0.",), "initializer", r"Identity\(\)", WHOLE, "Keras 3.0 cannot read this initializer by its name"),
    Known(("3.0.",), "regularizer", ".*", ("evaluation", "fresh", "epoch"),
          "Keras 3.0 adds the penalties of weights twice"),
    Known(FROM_3_9, "loss", r"SparseCategoricalCrossentropy\(ignore_class=2\)", ("fresh", "epoch"),
          "Keras 3.0 to 3.9 with JAX get NaN as gradient where a class is ignored"),
    Known(("3.0.",), "loss", r"(Categorical|Binary)FocalCrossentropy\(.*", ("h5",),
          "Keras 3.0 cannot find focal losses in .h5; open the .keras"),
    Known(("3.3.",), "loss", r"Dice\(axis=-1\)", ("h5", "keras"),
          "Keras 3.3 has no axis for Dice, which always sums over all: without it the file would give another loss in silence"),
    Known(FROM_3_9, "metric", r"(PrecisionAtRecall|RecallAtPrecision|SensitivityAtSpecificity|SpecificityAtSensitivity)\(.*",
          ("evaluation",), "Keras 3.0 to 3.9 cannot compute this metric with JAX"),
    Known(FROM_3_9, "optimizer", r"Nadam\(.*", ("keras",),
          "Keras 3.0 to 3.9 keep Nadam's variables in another order than later versions; the .h5, without them, opens"),
]


def reason_of(version, kind, text, checks):
    """Why the checks may disagree there; None: nothing says so."""
    for known in KNOWN:
        if version.startswith(known.versions) and kind == known.kind and re.fullmatch(known.text, text) and set(checks) <= set(known.checks):
            return known.reason
    return None
