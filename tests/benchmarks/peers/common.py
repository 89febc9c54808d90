"""What every peer shares: the data, the model's sizes, and the clock that all are measured by.

Data: Fashion-MNIST rows 5000: of the training set, float32 rows of 784 in [0, 1], in memory before the clock starts.
Clock: whole epochs after one warm-up epoch (compilation, first touches of memory, thread pools). Prints one JSON line:
samples/s of each measured epoch, and the cores in use (CPU seconds of all threads of this process / wall seconds)."""
import argparse
import gzip
import json
import time

import numpy as np

FOLDER = "/usr/share/datasets/fashion-mnist/"
SIZES = [784, 500, 500, 500, 500, 10]


def arguments(*more):
    parser = argparse.ArgumentParser()
    parser.add_argument("batch", type=int)
    parser.add_argument("epochs", type=int, help="measured epochs, after one more to warm up")
    parser.add_argument("--rows", type=int, default=55000, help="an epoch is the first ROWS rows")
    for names, options in more:
        parser.add_argument(names, **options)
    return parser.parse_args()


def training_rows(rows):
    with gzip.open(FOLDER + "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(FOLDER + "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    part = slice(5000, 5000 + rows)
    return (images[part] / np.float32(255)).astype(np.float32), labels[part].astype(np.int32)


class Clock:
    def __init__(self):
        self.speeds, self.cpu, self.wall = [], 0.0, 0.0

    def begin(self):
        self.cpu_start, self.start = time.process_time(), time.perf_counter()

    def end(self, samples, measured):
        wall, cpu = time.perf_counter() - self.start, time.process_time() - self.cpu_start
        if measured:
            self.speeds.append(samples / wall)
            self.wall += wall
            self.cpu += cpu

    def report(self, **more):
        print(json.dumps({"samples_per_s": self.speeds, "cores": self.cpu / self.wall, **more}), flush=True)
