"""Writes words.json: what Keras' StringLookup, and Hashing of text, give, what StringLookup learns by adapt(), and their
configs.

    python3 -m venv env && env/bin/pip install tensorflow-cpu keras==3.15.1 jax
    KERAS_BACKEND=tensorflow env/bin/python tests/golden/make_words.py

TensorFlow is the backend: both layers need it.
"""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from golden import HERE, array, f32, keras, make, random, short, write

cases = []
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch"
WORDS = [["Ulm", "Kiel", "Bonn"], ["Köln", "Aalen", "Ulm"], ["12", "-0.5", "x y"], ["a" * 33, LONG, LONG * 3]]
V = 'vocabulary=["Ulm", "Aalen", "Kiel", "12"]'


def text(words):
    return {"shape": list(np.shape(words)), "words": [word for row in words for word in row]}


def add(spec, words):
    layer = make(keras.layers, spec)
    y = layer(tf.constant(words))
    cases.append({"name": f"{spec} {'x'.join(map(str, np.shape(words)))}", "kind": "values", "spec": spec, "x": text(words), "y": array(f32(np.asarray(y))),
                  "config": keras.layers.serialize(layer)})


def learn(spec, words):
    layer = make(keras.layers, spec)
    layer.adapt(tf.constant(words))
    cases.append({"name": f"{spec} learns", "kind": "learned", "spec": spec, "x": text(words),
                  "learned": layer.get_vocabulary(include_special_tokens=False), "config": keras.layers.serialize(layer)})


for arguments in (V, V + ", num_oov_indices=2", V + ", num_oov_indices=7", V + ", num_oov_indices=5, salt=133",
                  V + ", num_oov_indices=5, salt=[133, 137]", V + ', num_oov_indices=3, oov_method="farmhash"',
                  V + ', mask_token="Bonn"', V + ', mask_token="Bonn", num_oov_indices=3', V + ', oov_token="?"',
                  'vocabulary=["?", "Ulm", "Bonn"], oov_token="?"', 'vocabulary=["", "[UNK]", "Ulm", "Bonn"], mask_token=""',
                  'vocabulary=["[UNK]", "Ulm", "Bonn"]', 'vocabulary=["Ulm", "[UNK]", "Bonn"]',
                  V + ', output_mode="one_hot"', V + ', output_mode="count"', V + ', output_mode="multi_hot", mask_token="Bonn"',
                  V + ', output_mode="multi_hot", max_tokens=9, pad_to_max_tokens=True',
                  V + ', output_mode="count", num_oov_indices=3, mask_token="Bonn"'):
    add(f"StringLookup({arguments})", WORDS)
add(f'StringLookup({V}, output_mode="one_hot")', [["Ulm"], ["Bonn"], ["12"]])
add(f"StringLookup({V}, num_oov_indices=0)", [["Ulm", "Kiel"], ["12", "Aalen"]])
for arguments in ("3", "num_bins=1000", 'num_bins=10, mask_value="Bonn"', 'num_bins=1, mask_value="Bonn"', "num_bins=50, salt=133",
                  "num_bins=50, salt=[133, 137]", 'num_bins=6, output_mode="one_hot"', 'num_bins=6, output_mode="count"',
                  'num_bins=6, output_mode="multi_hot", mask_value="Ulm"'):
    add(f"Hashing({arguments})", WORDS)

ALPHABET = ["b", "a", "Ä", "ab", "", "z", "Z", "10", "9", "[UNK]", "?", "日本"]
WORN = [[ALPHABET[int(i)] for i in row] for row in random("words").integers(0, len(ALPHABET), (60, 2)) ** 2 // len(ALPHABET)]
for arguments in ("", "max_tokens=5", 'mask_token=""', 'mask_token="", max_tokens=6', "num_oov_indices=2, max_tokens=6", 'oov_token="?"',
                  'output_mode="count"', 'output_mode="count", mask_token="", max_tokens=6'):
    learn(f"StringLookup({arguments})", WORN)

# Every way through the hash: texts of up to 200 bytes.
TEXTS = [bytes(97 + (i * i + size) % 26 for i in range(size)).decode() for size in [*range(0, 70), 95, 96, 127, 128, 129, 191, 192, 193, 200]]
cases.append({"name": "farmhash", "kind": "hash", "words": TEXTS,
              "hash": [[int(h) for h in tf.strings.to_hash_bucket_fast(TEXTS, 2 ** 62 - 1 - i).numpy()] for i in (0, 12345)]})


def save(name, layers, words):
    model = keras.Sequential([keras.Input((2,), dtype="string"), *layers, keras.layers.Flatten(), keras.layers.Dense(1)])
    rng = random(name)
    model.set_weights([short(rng.normal(0, 1, w.shape)) for w in model.get_weights()])
    model.save(os.path.join(HERE, "keras_files", name))
    cases.append({"name": name, "kind": "file", "x": text(words), "y": array(model.predict(tf.constant(words), verbose=0))})


# Whole models: what adapt() learned stands in the archive beside the configuration.
NEW = [["a", "z"], ["", "b"], ["Ulm", "a"], ["Ä", "Köln"], ["10", "ab"]]
lookup = keras.layers.StringLookup(num_oov_indices=2, mask_token="")
lookup.adapt(tf.constant(WORN))
save("words.keras", [lookup, keras.layers.Embedding(lookup.vocabulary_size(), 3)], NEW)
save("words.h5", [keras.layers.StringLookup(vocabulary=["a", "b", "Ä"]), keras.layers.Embedding(4, 3)], NEW)
save("hashed_words.keras", [keras.layers.Hashing(7), keras.layers.Embedding(7, 3)], NEW)

write("words", cases)
