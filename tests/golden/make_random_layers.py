"""Writes random_layers.json: what the random layers do in training, as far as it is not chance (see golden.py).

Keras' draws cannot be had again elsewhere. For inputs that are all one number, the numbers that come out and how often, or their
mean and deviation, are the layer's own.
"""
import numpy as np
from golden import f32, keras, make, write

SPECS = """Dropout(0.5) Dropout(0.2) Dropout(rate=0.9,seed=3) AlphaDropout(0.1) AlphaDropout(0.3) AlphaDropout(rate=0.5,seed=3)
GaussianNoise(0.5) GaussianNoise(stddev=0.1,seed=3) GaussianDropout(0.2) GaussianDropout(rate=0.5,seed=3)""".split()
ROWS, COLUMNS = 500, 200
cases = []
for spec in SPECS:
    for value in (1.0, -0.7):
        keras.utils.set_random_seed(5)
        layer = make(keras.layers, spec)
        y = np.asarray(layer(f32(np.full((ROWS, COLUMNS), value)), training=True))
        case = {"name": f"{spec}/{value}", "spec": spec, "x": value, "rows": ROWS, "columns": COLUMNS, "mean": float(np.mean(y, dtype=np.float64)),
                "deviation": float(np.std(y, dtype=np.float64))}
        numbers, counts = np.unique(y, return_counts=True)
        if len(numbers) <= 2:
            case |= {"values": numbers, "shares": counts / y.size}
        cases.append(case)
write("random_layers", cases)
