"""Fashion-MNIST as every peer gets it: float32 rows of 784 in [0, 1] and labels; rows 5000: of the training set."""
import gzip

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist/"


def training_rows():
    with gzip.open(FOLDER + "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(FOLDER + "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return (images[5000:] / np.float32(255)).astype(np.float32), labels[5000:].astype(np.int32)


SIZES = [784, 500, 500, 500, 500, 10]
