"""Writes activations.json: y and dx of every Keras activation (see golden.py for how to run it)."""
import numpy as np
from golden import array, f32, keras, make, random, short, vjp, write

ELEMENTWISE = """linear relu relu6 leaky_relu elu celu selu gelu silu swish sigmoid hard_sigmoid log_sigmoid
sparse_sigmoid tanh hard_tanh tanh_shrink softplus softsign squareplus sparse_plus exponential hard_silu hard_swish
mish hard_shrink soft_shrink""".split()
ROWWISE = ["softmax", "log_softmax", "sparsemax", "glu"]
# 0, kinks of the piecewise ones (0.5, 1, 3, 6, 2.5) and points beside them, large magnitudes.
POINTS = [-30, -12.5, -6, -4, -3.001, -3, -2.999, -2.5, -1.5, -1.001, -1, -0.999, -0.75, -0.501, -0.5, -0.499, -0.1,
          -1e-4, 0, 1e-4, 0.1, 0.25, 0.499, 0.5, 0.501, 0.75, 0.999, 1, 1.001, 1.5, 2.5, 2.999, 3, 3.001, 4, 5.999, 6,
          6.001, 12.5, 30]


def gradient(function, x, dy):
    y, (dx,) = vjp(function, (x,), dy)
    return np.asarray(y), np.asarray(dx)


def kinks(function, x, dy):
    """Flat indices where the left and the right derivative differ: there dx is a convention."""
    left = gradient(function, f32(x - 3e-5), dy)[1]
    right = gradient(function, f32(x + 3e-5), dy)[1]
    middle = np.maximum(np.abs(dy), np.maximum(np.abs(left), np.abs(right)))
    return [int(i) for i in np.flatnonzero(np.abs(left - right) > 0.02 * middle)]


# With arguments: as functions, and as the layers that a Keras file holds in their place.
ARGUMENTS = """leaky_relu(0.1) leaky_relu(negative_slope=0.05) elu(0.5) elu(alpha=2.0) relu(0.1) relu(max_value=2.5)
relu(0.1,2.5,0.6) relu(negative_slope=0.2,threshold=1.0) ReLU() ReLU(max_value=2.5) ReLU(2.5,0.1,0.6)
ReLU(negative_slope=0.1) ReLU(threshold=0.6) LeakyReLU() LeakyReLU(0.1) LeakyReLU(negative_slope=0.2) ELU() ELU(0.5)""".split()


def function_of(spec):
    if "(" not in spec:
        return make(keras.activations, spec)
    if spec[0].isupper():
        return make(keras.layers, spec)
    name, arguments = spec[:-1].split("(", 1)
    return lambda x: eval(f"function(x, {arguments})", {"function": getattr(keras.activations, name), "x": x})


cases = []
for spec in ELEMENTWISE + ARGUMENTS:
    function = function_of(spec)
    x = f32(POINTS).reshape(8, 5)
    dy = short(random(spec).uniform(0.5, 2, x.shape)) * f32(random(spec + "s").choice([-1, 1], x.shape))
    y, dx = gradient(function, x, dy)
    cases.append({"name": spec, "spec": spec, "x": array(x), "y": array(y), "dy": array(dy), "dx": array(dx),
                  "kinks": kinks(function, x, dy)})

for spec in ROWWISE:
    function = make(keras.activations, spec)
    for kind, scale in (("small", 1.5), ("large", 12)):
        width = 6 if spec == "glu" else 5  # glu halves the last axis, which must be even
        name = spec + "_" + kind
        rng = random(name)
        x = short(rng.normal(0, scale, (6, width)))
        if kind == "large":
            x[0], x[1], x[2, :2] = 0, [30] + [-30] * (width - 1), [30, 29]
        y0 = np.asarray(function(x))
        dy = short(rng.normal(0, 1, y0.shape))
        y, dx = gradient(function, x, dy)
        cases.append({"name": name, "spec": spec, "x": array(x), "y": array(y), "dy": array(dy), "dx": array(dx),
                      "kinks": []})
    rng = random(spec + "_rank3")
    x = short(rng.normal(0, 2, (3, 2, 4)))
    dy = short(rng.normal(0, 1, np.asarray(function(x)).shape))
    if spec == "sparsemax":
        continue
    y, dx = gradient(function, x, dy)
    cases.append({"name": spec + "_rank3", "spec": spec, "x": array(x), "y": array(y), "dy": array(dy),
                  "dx": array(dx), "kinks": []})

write("activations", cases)
