"""tensorboard_read.py FOLDER PROGRAM: what TensorBoard sees in FOLDER/logs is the history of FOLDER/run.h5."""
import json
import subprocess
import sys

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
from tensorboard.util import tensor_util

folder, program = sys.argv[1:]
ALL = {"scalars": 0, "tensors": 0, "histograms": 0, "images": 0}


def load(part):
    events = EventAccumulator(f"{folder}/logs/{part}", size_guidance=ALL)
    events.Reload()
    return events


def series(events, tag):
    return [(one.step, float(tensor_util.make_ndarray(one.tensor_proto))) for one in events.Tensors(tag)]


def expect(condition, message):
    if not condition:
        sys.exit(f"tensorboard_read.py: {message}")


status = json.loads(subprocess.run([program, "watch", f"{folder}/run.h5", "--once", "--json"], check=True,
                                   capture_output=True, text=True).stdout)
train, validation = load("train"), load("validation")
tags = train.Tags()["tensors"]
print("train:", ", ".join(tags))
print("validation:", ", ".join(validation.Tags()["tensors"]))
for events, prefix in ((train, ""), (validation, "val_")):
    for name in ("loss", "accuracy"):
        values = series(events, "epoch_" + name)
        expect([step for step, _ in values] == list(range(6)), f"{prefix}{name}: steps {values}")
        expect(values[-1][1] == np.float32(status[prefix + name]), f"{prefix}{name}: {values[-1]}, {status}")
batches = [step for step, _ in series(train, "batch_loss")]
expect(batches == list(range(3, batches[-1] + 1, 3)), f"batch_loss: steps {batches}")
expect([step for step, _ in series(train, "epoch_learning_rate")] == list(range(6)), "epoch_learning_rate")
expect("epoch_steps_per_second" in tags and "batch_steps_per_second" in tags, "steps per second")
histograms = [tag for tag in tags if tag.endswith("/histogram")]
expect(histograms, "no histograms")
for tag in histograms:
    expect([one.step for one in train.Tensors(tag)] == [0, 2, 4], f"{tag}: steps")
    buckets = tensor_util.make_ndarray(train.Tensors(tag)[0].tensor_proto)
    expect(buckets.shape == (30, 3) and (buckets[:, 0] <= buckets[:, 1]).all(), f"{tag}: {buckets}")
    expect(train.summary_metadata[tag].plugin_data.plugin_name == "histograms", f"{tag}: plugin")
model = json.loads(tensor_util.make_ndarray(train.Tensors("keras")[0].tensor_proto).item())
nodes = [node.name for node in keras_model_to_graph_def(model).node]
expect(len(nodes) >= 2, f"graph: {nodes}")
print("graph:", ", ".join(nodes))
text = tensor_util.make_ndarray(train.Tensors("configuration")[0].tensor_proto).item().decode()
expect("epochs = 6" in text, text)
print("tensorboard reads every step once, with the values of the history")
