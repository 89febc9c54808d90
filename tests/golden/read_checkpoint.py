"""Reads a checkpoint with h5py alone, as docs/checkpoint-format.md says. As a program it checks the file:

    python3 read_checkpoint.py run.h5      prints what it found; exit code 1 when the weights' digest is not that of the file
"""
import hashlib
import json
import sys

import h5py
import numpy as np


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def texts(attributes, name):
    """A list of texts; long ones are cut into pieces name0, name1, ..."""
    if name in attributes:
        return [text(item) for item in attributes[name]]
    pieces, k = [], 0
    while f"{name}{k}" in attributes:
        pieces += [text(item) for item in attributes[f"{name}{k}"]]
        k += 1
    return pieces


def read_weights(group):
    """[(layer, weight, array)] in the file's order."""
    weights = []
    for layer in texts(group.attrs, "layer_names"):
        for name in texts(group[layer].attrs, "weight_names"):
            short = name.split("/")[-1].split(":")[0]
            weights.append((layer, short, group[layer][name][()]))
    return weights


def weights_digest(weights):
    sha = hashlib.sha256()
    for layer, name, array in weights:
        sha.update(f"{layer}/{name} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return sha.hexdigest()


def read_checkpoint(path):
    with h5py.File(path, "r") as file:
        ours = file["nntrain_dist"]
        state = {name: text(value) if isinstance(value, (bytes, str)) else value.item()
                 for name, value in ours["state"].attrs.items()}
        optimizer = ours["optimizer"]
        stepped = texts(optimizer.attrs, "trainable_weights")
        return {
            "model_config": json.loads(text(file.attrs["model_config"])),
            "training_config": json.loads(text(file.attrs["training_config"])) if "training_config" in file.attrs else None,
            "weights": read_weights(file["model_weights"]),
            "state": state,
            "history": {name: ours["history"][name][()] for name in texts(ours["history"].attrs, "columns")},
            "optimizer": text(optimizer.attrs["class_name"]),
            "slots": {slot: {name: optimizer[slot][name][()] for name in stepped}
                      for slot in texts(optimizer.attrs, "slots")},
            "optimizer_scalars": optimizer["scalars"][()],
            "metric_sums": ours["metrics/sums"][()].reshape(-1, max(1, int(ours["metrics"].attrs["width"]))),
            "config": text(ours.attrs["config"]),
            "data": json.loads(text(ours.attrs["data"])),
            "environment": json.loads(text(ours.attrs["environment"])),
            "callbacks": json.loads(text(ours.attrs["callbacks"])),
            "kept_weights": {name: read_weights(ours["kept_weights"][name])
                             for name in texts(ours["kept_weights"].attrs, "names")},
        }


if __name__ == "__main__":
    found = read_checkpoint(sys.argv[1])
    digest = weights_digest(found["weights"])
    print("weights_digest:", digest)
    print("state:", found["state"])
    for name, column in found["history"].items():
        print("history", name, column.tolist())
    print("slots:", {slot: sorted(arrays) for slot, arrays in found["slots"].items()})
    sys.exit(0 if digest == found["state"]["weights_digest"] else 1)
