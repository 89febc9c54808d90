"""Shared by the make_<family>.py scripts: specs -> Keras objects, arrays -> compact JSON.

    python3 -m venv env && env/bin/pip install keras==3.15.1 jax numpy h5py scikit-learn
    KERAS_BACKEND=jax env/bin/python tests/golden/make_<family>.py

Every script writes tests/golden/<family>.json; every number in it was computed by Keras itself,
gradients by jax.vjp through Keras' own code. Float32 throughout, printed so that the text
gives back the same float32.
"""
import json
import os
import zlib

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def namespace(family):
    """Names a spec of this family may use; the family's own names win over those of the others."""
    names = {}
    for module in (keras.optimizers.schedules, keras.initializers, keras.regularizers, keras.constraints, family):
        names.update({n: getattr(module, n) for n in dir(module) if n[0].isupper()})
    return names


def make(family, spec):
    """`family` is a Keras module (keras.losses ...); spec as in the configuration."""
    if "(" in spec:
        return eval(spec, namespace(family))
    return family.get(spec)


def random(name):
    """A generator that depends on the case's name alone, so that adding a case changes no other."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def f32(x):
    return np.asarray(x, dtype=np.float32)


def short(x):
    """Inputs with four significant digits: the files stay small and readable."""
    x = np.asarray(x, dtype=np.float64)
    return f32([float("%.4g" % v) for v in x.ravel()]).reshape(x.shape)


def array(x):
    """An array as {"shape", "data"}, None as null."""
    if x is None:
        return None
    x = np.asarray(x)
    if x.dtype != np.float64:
        x = x.astype(np.float32) if x.dtype.kind == "f" else x
    return {"shape": list(x.shape), "data": x}


def number(x):
    if not np.isfinite(x):
        raise ValueError("a golden number must be finite")
    if np.float32(x) == x:  # the shortest text that gives back this float32
        return str(np.float32(x)).removesuffix(".0")
    return "%.9g" % x


def to_json(value, indent=0):
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "iub":
            return "[" + ",".join(str(int(v)) for v in value.ravel()) + "]"
        return "[" + ",".join(number(v) for v in value.ravel()) + "]"
    if isinstance(value, dict):
        pad = "\n" + " " * (indent + 1) if indent < 3 else ""
        items = [json.dumps(k) + ":" + to_json(v, indent + 1) for k, v in value.items()]
        return "{" + ",".join(pad + item for item in items) + "}"
    if isinstance(value, (list, tuple)):
        deep = indent < 2 and any(isinstance(v, dict) for v in value)
        pad = "\n" + " " * (indent + 1) if deep else ""
        return "[" + ",".join(pad + to_json(v, indent + 1) for v in value) + "]"
    if isinstance(value, (bool, str)) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return number(value)


def write(family, cases, **more):
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names)), "case names must be unique: " + str(
        [n for n in names if names.count(n) > 1])
    path = os.path.join(HERE, family + ".json")
    text = to_json({"keras": keras.__version__, **more, "cases": cases}) + "\n"
    json.loads(text)
    with open(path, "w") as file:
        file.write(text)
    print(f"{family}.json: {len(cases)} cases, {len(text) // 1024} KiB")


def vjp(function, primals, cotangent):
    """(value, gradients) of a function of float arrays."""
    value, pull = jax.vjp(function, *[jax.numpy.asarray(p) for p in primals])
    return value, pull(jax.numpy.asarray(cotangent))
