"""Writes constraints.json: a weight before and after every Keras constraint (see golden.py)."""
import numpy as np
from golden import array, f32, keras, make, random, write

SPECS = ['MaxNorm()', 'MaxNorm(1.0)', 'MaxNorm(max_value=0.5, axis=1)', 'MaxNorm(1.0, axis=[0, 1])', 'max_norm',
         'NonNeg()', 'non_neg', 'UnitNorm()', 'UnitNorm(axis=1)', 'UnitNorm(axis=[0, 1])', 'unit_norm', 'MinMaxNorm()',
         'MinMaxNorm(min_value=0.5, max_value=1.0)', 'MinMaxNorm(0.8, 1.2, 0.5)',
         'MinMaxNorm(min_value=0.5, max_value=1.0, rate=0.3, axis=1)', 'min_max_norm']
cases = []
for spec in SPECS:
    for shape in ((4, 3), (5,)):
        if len(shape) == 1 and ("axis=1" in spec or "axis=[" in spec):
            continue
        name = f"{spec}/{'x'.join(map(str, shape))}"
        w = f32(random(name).normal(0, 1.2, shape))
        if len(shape) == 2:
            w[:, 1] *= 0.1  # one column with a small norm, one row of zeros
            w[2] = 0
        result = make(keras.constraints, spec)(keras.ops.convert_to_tensor(w))
        cases.append({"name": name, "spec": spec, "w": array(w), "result": array(np.asarray(result))})
write("constraints", cases)
