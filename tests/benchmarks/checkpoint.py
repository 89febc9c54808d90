"""Part `checkpoint`: a checkpoint of 92 million parameters with Adam (1.1 GB).

* Written against dd with fsync of as many bytes into the same folder, in turn: the bar is 70 % of dd's rate.
* Training stalled: a run of that model (two ranks where there are two cores) saves every SAVE_STEPS steps, and its trace
  says how long all ranks stood still for it; the bar is 1.2 times a copy of the same state in memory, measured before and
  after each run. A wait for the checkpoint before would count, too.

Writes build/benchmarks/checkpoint.json. Needs 4 GB of disk in CHECKPOINT_FOLDER (default build/benchmarks) and 6 GB of
memory, and a machine that does nothing else: dd alone varies by a factor on a busy one. WIDTHS=784,500,10 in the
environment: another model. PARTS=stall or PARTS=write: one of the two."""
import json
import os
import statistics
import time

import numpy as np
from harness import BUILD, CORES, FOLDER, PROGRAM, ROUNDS, call, save, say

WIDTHS = os.environ.get("WIDTHS", "784,6600,6600,6600,10")
PLACE = os.environ.get("CHECKPOINT_FOLDER", FOLDER)
PARTS = os.environ.get("PARTS", "write,stall").split(",")
BAR, STALL_BAR = 0.7, 1.2
BATCH, STEPS, SAVE_STEPS = 32, 48, 16


def removed(path):
    """What lies there is neither written over nor still on its way to the disk when the clock starts."""
    if os.path.exists(path):
        os.remove(path)
    os.sync()
    return path


def dd_seconds(size):
    """dd's sequential rate: blocks of 4 MiB, fsync at the end. The bytes come from memory."""
    path = removed(os.path.join(PLACE, "dd.bytes"))
    blocks = -(-size // (4 << 20))
    start = time.monotonic()
    call(["dd", "if=/dev/zero", f"of={path}", "bs=4M", f"count={blocks}", "conv=fsync", "status=none"])
    seconds = time.monotonic() - start
    removed(path)
    return seconds * size / (blocks * (4 << 20))


def written():
    path = removed(os.path.join(PLACE, "big.h5"))
    result = json.loads(call([BUILD + "/tests/benchmarks/checkpoint_write", path, WIDTHS]))
    removed(path)
    return result


def path_of(name):
    return os.path.abspath(os.path.join(PLACE, name))


def stalled():
    """Seconds that the ranks stood still for each checkpoint but the last, which the end of a run waits for."""
    widths = [int(width) for width in WIDTHS.split(",")]
    random = np.random.default_rng(1)
    np.save(path_of("stall_x.npy"), random.random((BATCH * STEPS, widths[0]), dtype="f4"))
    np.save(path_of("stall_y.npy"), random.integers(0, widths[-1], BATCH * STEPS))
    layers = [f'Dense({width}, activation="relu")' for width in widths[1:-1]] + [f'Dense({widths[-1]}, activation="softmax")']
    with open(path_of("stall.ini"), "w") as file:
        file.write("\n".join(["[data]", f"inputs = {path_of('stall_x.npy')}", f"targets = {path_of('stall_y.npy')}", "[model]",
                              *(f"layer = {layer}" for layer in layers), "[compile]", "loss = sparse_categorical_crossentropy",
                              "optimizer = Adam()", "[fit]", "epochs = 1", f"batch_size = {BATCH}", "verbose = 0", "[checkpoint]",
                              f"path = {path_of('stall.h5')}", "keep = 1", f"every_steps = {SAVE_STEPS}", "[run]",
                              f"profile = {path_of('stall.json')}"]) + "\n")
    removed(path_of("stall.h5"))
    call(["mpirun", "--bind-to", "core", "-np", str(min(2, CORES)), PROGRAM, "train", path_of("stall.ini")])
    with open(path_of("stall.json")) as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X" and event["pid"] == 0]
    for name in ("stall.h5", "stall.json", "stall_x.npy", "stall_y.npy", "stall.ini"):
        removed(path_of(name))
    steps = sorted((event["ts"], event["dur"]) for event in events if event["name"] == "step")
    saves = sorted((event["ts"], event["dur"]) for event in events if event["name"] == "checkpoint")
    stalls = []
    for k in range(SAVE_STEPS, STEPS, SAVE_STEPS):
        begin, end = sum(steps[k - 1]), steps[k][0]
        stalls.append(1e-6 * sum(duration for start, duration in saves if begin - 1 <= start < end))
    return {"stalls_s": stalls, "step_s": 1e-6 * statistics.median(duration for _, duration in steps)}


def measure_stall(ours):
    """The copy is timed on both sides of the run; new memory each time, as the run's own."""
    run = stalled()
    copies = [ours["copy_s"], written()["copy_s"]]
    ours.update(run, stall_s=statistics.median(run["stalls_s"]), stall_copy_s=statistics.mean(copies))
    ours["stall_ratio"] = ours["stall_s"] / ours["stall_copy_s"]
    say("training stalled " + " and ".join(f"{stall:.3f}" for stall in run["stalls_s"]) + f" s, a copy takes {copies[0]:.3f} and "
        f"{copies[1]:.3f} s: {ours['stall_ratio']:.2f} times; a step {1e3 * run['step_s']:.0f} ms")


def main():
    os.makedirs(PLACE, exist_ok=True)
    rounds = []
    size = written()["file_bytes"]  # warms both up
    for k in range(ROUNDS):
        before = dd_seconds(size) if "write" in PARTS else 0
        ours = written()
        if "write" in PARTS:
            after = dd_seconds(size)
            ours["dd_s"] = (before + after) / 2
            ours["ratio"] = ours["dd_s"] / ours["write_s"] * ours["file_bytes"] / size
            say(f"round {k + 1}: written in {ours['write_s']:.2f} s, dd {before:.2f} and {after:.2f} s, "
                f"rate {100 * ours['ratio']:.0f} % of dd's; copy of the state {ours['copy_s']:.2f} s")
        if "stall" in PARTS:
            measure_stall(ours)
        rounds.append(ours)
    if len(PARTS) == 2:
        save("checkpoint", rounds)
    about = f"{rounds[0]['parameters']:,} parameters, {size / 1e9:.2f} GB: "
    if "write" in PARTS:
        median = statistics.median(one["ratio"] for one in rounds)
        print(f"{about}{100 * median:.0f} % of dd's rate, bar {100 * BAR:.0f} %: {'met' if median >= BAR else 'MISSED'}")
    if "stall" in PARTS:
        median = statistics.median(one["stall_ratio"] for one in rounds)
        print(f"{about}training stalled {median:.2f} times a copy in memory, bar {STALL_BAR}: {'met' if median <= STALL_BAR else 'MISSED'}")


main()
