"""Writes lookups.json: what Keras' preprocessing layers of numbers give, what they learn by adapt(), and their configs.

    python3 -m venv env && env/bin/pip install tensorflow-cpu keras==3.15.1 jax
    KERAS_BACKEND=tensorflow env/bin/python tests/golden/make_lookups.py

TensorFlow is the backend: Keras' IntegerLookup and Hashing need it.
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
from golden import HERE, array, f32, keras, make, random, short, write

cases = []
COUNTS = [[3, 2, 0], [1, 1, 3], [0, 0, 0], [2, 3, 1]]
WORDS = [[12, 1138, 42], [37, 1000, 36], [-5, 0, -1], [42, 42, 7]]


def add(spec, x):
    layer = make(keras.layers, spec)
    x = f32(x)
    whole = layer.__class__.__name__ in ("IntegerLookup", "Hashing")
    y = layer(x.astype(np.int64) if whole else x)
    cases.append({"name": f"{spec} {'x'.join(map(str, x.shape))}", "kind": "values", "spec": spec, "x": array(x),
                  "y": array(f32(np.asarray(y))), "config": layer_config(layer)})


def layer_config(layer):
    return keras.layers.serialize(layer)


def learn(spec, values):
    layer = make(keras.layers, spec)
    layer.adapt(values)
    learned = f32(layer.bin_boundaries) if spec.startswith("Disc") else layer.get_vocabulary(include_special_tokens=False)
    cases.append({"name": f"{spec} learns of {values.size}", "kind": "learned", "spec": spec, "x": array(f32(values)),
                  "learned": array(np.asarray(learned)), "config": layer_config(layer)})


for mode in ("one_hot", "multi_hot", "count"):
    add(f'CategoryEncoding(num_tokens=4, output_mode="{mode}")', COUNTS)
    add(f'CategoryEncoding(num_tokens=5, output_mode="{mode}")', [[3], [0], [4]])
X = [[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0], [2.0, 1e30, -1e30, 1.9999999]]
add("Discretization(bin_boundaries=[0.0, 1.0, 2.0])", X)
add("Discretization(bin_boundaries=[0.1])", [[0.1], [0.09999999], [0.2]])
for mode in ("one_hot", "multi_hot", "count"):
    add(f'Discretization(bin_boundaries=[0.0, 1.0, 2.0], output_mode="{mode}")', X)
BIG = [[0, 1, 2], [10, 99, 100], [12345, 1234567, 12345678], [-1, -16777216, 16777216], [7, 77, 777]]
for arguments in ("3", "num_bins=1000", "num_bins=10, mask_value=7", "num_bins=1, mask_value=7", "num_bins=50, salt=133",
                  "num_bins=50, salt=[133, 137]", 'num_bins=6, output_mode="one_hot"', 'num_bins=6, output_mode="count"',
                  'num_bins=6, output_mode="multi_hot", mask_value=0'):
    add(f"Hashing({arguments})", BIG)
V = "vocabulary=[12, 36, 1138, 42]"
for arguments in (V, V + ", num_oov_indices=2", V + ", num_oov_indices=3", V + ", mask_token=0", V + ", oov_token=-7",
                  V + ', num_oov_indices=3, oov_method="farmhash"', V + ', output_mode="one_hot"', V + ', output_mode="count"',
                  V + ', output_mode="multi_hot", mask_token=7', V + ', output_mode="multi_hot", max_tokens=9, pad_to_max_tokens=True',
                  "vocabulary=[0, -1, 12, 36], mask_token=0", "vocabulary=[-1, 12, 36, 42]"):
    add(f"IntegerLookup({arguments})", WORDS)
add(f"IntegerLookup({V}, num_oov_indices=0)", [[12, 36], [42, 1138]])
add(f"IntegerLookup({V}, invert=True)", [[1, 3, 4], [4, 0, 2], [9, 5, 1]])
add(f"IntegerLookup({V}, invert=True, mask_token=0)", [[1, 3, 4], [4, 0, 2], [9, 5, 1]])

for size in (1, 5, 50, 99, 100, 101, 250, 1000):
    values = short(random(f"quantiles {size}").normal(0, 3, (size, 1)))
    for bins in (1, 2, 4, 10):
        learn(f"Discretization(num_bins={bins})", values)
    learn("Discretization(num_bins=5, epsilon=0.1)", values)
learn("Discretization(num_bins=3)", f32([[1, 1, 1, 1, 2], [2, 2, 2, 3, 3]]))
WORN = random("vocabulary").integers(-3, 12, (200, 2))
for arguments in ("", "max_tokens=5", "mask_token=0", "mask_token=0, max_tokens=6", "num_oov_indices=2, max_tokens=6",
                  "oov_token=3", 'output_mode="count"', 'output_mode="count", mask_token=0, max_tokens=6'):
    learn(f"IntegerLookup({arguments})", WORN)

# A whole model: the vocabulary that adapt() learned stands in the archive beside the configuration.
lookup = keras.layers.IntegerLookup(num_oov_indices=2, mask_token=0)
lookup.adapt(WORN)
model = keras.Sequential([keras.Input((2,), dtype="int64"), lookup,
                          keras.layers.Embedding(lookup.vocabulary_size(), 3, embeddings_initializer="ones"),
                          keras.layers.Flatten(), keras.layers.Dense(1)])
rng = random("lookup.keras")
model.set_weights([short(rng.normal(0, 1, w.shape)) for w in model.get_weights()])
model.save(os.path.join(HERE, "keras_files", "lookup.keras"))
x = np.concatenate([WORN[:12], [[0, 99], [-7, 11], [100, 101]]])
cases.append({"name": "lookup.keras", "kind": "file", "x": array(f32(x)), "y": array(model.predict(x, verbose=0))})

write("lookups", cases)
