#!/usr/bin/env python3
"""Writes the small files of tests/fuzz/corpus with h5py and Keras: an execution of a fuzz target takes as long as its
input, and the files of the other tests are larger than they need to be here. Checkpoints: of a training run over the
two rows that it makes.
Usage: make_corpus.py PROGRAM"""
import os
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def place(reader, name):
    os.makedirs(os.path.join(CORPUS, reader), exist_ok=True)
    return os.path.join(CORPUS, reader, name)


def data():
    with h5py.File(place("hdf5", "plain.h5"), "w") as file:
        file["f4"] = np.arange(6, dtype="f4").reshape(3, 2)
    with h5py.File(place("hdf5", "group.h5"), "w") as file:
        file["group/inner"] = np.arange(4, dtype=">i2")
        file["group/other"] = np.array([0, 1.5, 2], dtype="f8")
    with h5py.File(place("hdf5", "chunks.h5"), "w", libver=("v108", "v108")) as file:
        file.create_dataset("gzip", data=np.arange(8, dtype="u1").reshape(4, 2), chunks=(2, 2), compression="gzip", shuffle=True,
                            fletcher32=True)


def models():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    model.save_weights(place("keras_h5", "layers.weights.h5"))
    model.save(place("keras_h5", "layers.h5"))
    model.save(place("keras_zip", "layers.keras"))
    with open(place("json", "layers.json"), "w") as file:
        file.write(model.to_json())
    keras.backend.clear_session()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy", metrics=["accuracy"])
    model.fit(np.eye(2), np.eye(2)[:, :1], verbose=0)
    model.save(place("keras_h5", "compiled.h5"))
    model.save(place("keras_zip", "compiled.keras"))


def checkpoints(program):
    with tempfile.TemporaryDirectory() as folder:
        np.save(folder + "/x.npy", np.eye(2, dtype="f4"))
        np.save(folder + "/y.npy", np.eye(2, dtype="f4")[:, :1])
        for name, layer, optimizer in (("sgd", "Dense(1)", "SGD(0.1)"), ("adam", "Dense(1, use_bias=False)", "Adam(0.1)")):
            with open(folder + "/run.ini", "w") as file:
                file.write(f"[data]\ninputs = x.npy\ntargets = y.npy\n[model]\nlayer = {layer}\n[compile]\nloss = mse\n"
                           f"optimizer = {optimizer}\n[fit]\nepochs = 1\nverbose = 0\n[checkpoint]\nkeep = 1\n"
                           f"path = {name}.h5\n")
            subprocess.run([program, "train", "run.ini"], cwd=folder, check=True)
            shutil.copy(f"{folder}/{name}.h5", place("checkpoint", name + ".h5"))


data()
models()
checkpoints(os.path.abspath(sys.argv[1]))
