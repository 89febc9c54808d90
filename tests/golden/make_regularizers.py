"""Writes regularizers.json: value and gradient of every Keras regularizer (see golden.py)."""
import numpy as np
from golden import array, f32, keras, make, random, vjp, write

SPECS = ['L1()', 'L1(0.05)', 'l1', 'L1L2()', 'L1L2(l1=0.01, l2=0.02)', 'L1L2(0.01)', 'L1L2(l2=0.3)', 'l1l2', 'L2()',
         'L2(0.3)', 'L2(l2=0.001)', 'l2', 'OrthogonalRegularizer()', 'OrthogonalRegularizer(factor=0.1)',
         'OrthogonalRegularizer(0.1, "columns")', 'OrthogonalRegularizer(factor=0.1, mode="columns")',
         'orthogonal_regularizer']
cases = []
for spec in SPECS:
    for shape in ((4, 3), (3, 5), (6,)):
        if "rthogonal" in spec and len(shape) != 2:
            continue
        name = f"{spec}/{'x'.join(map(str, shape))}"
        x = f32(random(name).normal(0, 0.8, shape))
        if "rthogonal" not in spec:
            x.flat[1] = 0
        value, (dx,) = vjp(make(keras.regularizers, spec), (x,), f32(1))
        cases.append({"name": name, "spec": spec, "x": array(x), "value": float(value), "dx": array(np.asarray(dx))})
write("regularizers", cases)
