"""Writes initializers.json: the distribution each Keras initializer draws from (see golden.py).

Random initializers cannot be compared number by number; the arguments with which Keras calls its generator are
caught instead. A truncated normal is cut at two of its stddev, so its samples have the std `resulting_std`.
"""
import numpy as np
from golden import array, keras, make, write
from keras.src.initializers import random_initializers

SPECS = """Zeros() | zeros | Ones() | ones | Constant(0.5) | Constant(value=-2.0) | Identity()
Identity(gain=0.5) | identity | GlorotUniform() | glorot_uniform | GlorotNormal() | glorot_normal | HeUniform()
he_uniform | HeNormal() | he_normal | LecunUniform() | lecun_uniform | LecunNormal() | lecun_normal | RandomNormal()
RandomNormal(mean=1.0, stddev=0.3) | random_normal | normal | RandomUniform() | RandomUniform(-0.2, 0.6)
RandomUniform(minval=0.0, maxval=1.0, seed=3) | random_uniform | uniform | TruncatedNormal()
TruncatedNormal(mean=0.5, stddev=0.2) | truncated_normal | VarianceScaling() | variance_scaling
VarianceScaling(scale=2.0, mode="fan_out", distribution="truncated_normal")
VarianceScaling(3.0, "fan_avg", "uniform") | VarianceScaling(scale=0.5, mode="fan_in", distribution="untruncated_normal")
GlorotUniform(seed=3) | GlorotNormal(seed=3) | HeUniform(seed=3) | HeNormal(seed=3) | LecunUniform(seed=3)
LecunNormal(seed=3) | VarianceScaling(seed=3) | RandomNormal(seed=3) | TruncatedNormal(seed=3)
VarianceScaling(mode="fan_avg", distribution="normal") | Orthogonal() | Orthogonal(gain=0.7, seed=1) | orthogonal"""
SHAPES = [(4, 3), (3, 5), (7,)]
STD_OF_TRUNCATED = 0.87962566103423978  # of a standard normal cut at -2 and 2; the constant in Keras' source

drawn = []


class Recorder:
    """Stands in for keras.random inside the initializers; QR needs real numbers."""

    make_default_seed = staticmethod(random_initializers.random.make_default_seed)
    SeedGenerator = random_initializers.random.SeedGenerator

    @staticmethod
    def uniform(shape, minval=0.0, maxval=1.0, **_):
        drawn.append({"kind": "uniform", "low": minval, "high": maxval,
                      "limit": maxval if minval == -maxval else None})
        return keras.random.uniform(shape, minval, maxval)

    @staticmethod
    def normal(shape, mean=0.0, stddev=1.0, **_):
        drawn.append({"kind": "normal", "mean": mean, "stddev": stddev})
        return keras.random.normal(shape, mean, stddev)

    @staticmethod
    def truncated_normal(shape, mean=0.0, stddev=1.0, **_):
        drawn.append({"kind": "truncated_normal", "mean": mean, "stddev": stddev, "low": mean - 2 * stddev,
                      "high": mean + 2 * stddev, "resulting_std": stddev * STD_OF_TRUNCATED})
        return keras.random.truncated_normal(shape, mean, stddev)


random_initializers.random = Recorder
cases = []
for spec in (spec.strip() for line in SPECS.splitlines() for spec in line.split(" | ")):
    for shape in SHAPES:
        if len(shape) != 2 and spec.split("(")[0].lower() in ("identity", "orthogonal"):
            continue
        drawn.clear()
        initializer = make(keras.initializers, spec)
        value = np.asarray(initializer(shape))
        if spec.lower().startswith("orthogonal"):
            expected = {"kind": "orthogonal", "gain": initializer.gain}
        else:
            expected = dict(drawn[0]) if drawn else {"kind": "exact", "value": array(value)}
        cases.append({"name": f"{spec}/{'x'.join(map(str, shape))}", "spec": spec, "shape": np.array(shape),
                      "expected": expected})
write("initializers", cases)
