"""Runs ours and the peers, and keeps what they measured. Used by the parts; nothing here decides what is compared."""
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = "build/release"
PROGRAM = os.environ.get("PROGRAM", BUILD + "/nntrain-dist")
FOLDER = "build/benchmarks"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SIZES = "784,500,500,500,500,10"
BATCHES = tuple(int(batch) for batch in os.environ.get("BATCHES", "32,256,2048").split(","))
IMAGES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
LABELS = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz"
CORES = len(os.sched_getaffinity(0))


def call(command, environment=None):
    """The text on stdout. A command that fails ends the benchmark with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def mpirun(ranks, *arguments):
    """Each rank on a core of its own."""
    return ["mpirun", "--bind-to", "core", "-np", str(ranks), sys.executable, os.path.join(HERE, "peak_memory.py"), PROGRAM, *arguments]


def ours(ranks, batch, epochs, *options, config="fashion_mnist.ini"):
    """A training run: one epoch to warm up and `epochs` measured ones. Seconds are those of the epochs' steps, as the
    history in the checkpoint has them: what Keras' epoch callbacks see, without reading data, start-up and checkpoints."""
    import h5py
    path = os.path.join(FOLDER, "run.h5")
    if os.path.exists(path):
        os.remove(path)
    text = call(mpirun(ranks, "train", os.path.join(HERE, config), f"--fit.batch_size={batch}", f"--fit.epochs={epochs + 1}",
                       f"--checkpoint.path={path}", *options))
    with h5py.File(path) as file:
        seconds = [float(s) for s in file["nntrain_dist/history/seconds"][()]]
    activities = {name.strip(): float(mean) for name, mean in
                  re.findall(r"^( *[a-z]+) +[\d.]+ +([\d.]+) +[\d.]+ +[\d.]+$", text, re.MULTILINE)}
    samples = int(re.search(r"train on (\d+) samples", text)[1])
    steps = int(re.search(r"^(\d+)/\d+ - ", text, re.MULTILINE)[1])
    measured = seconds[1:]
    return {"samples_per_s": statistics.median(samples / s for s in measured), "steps_per_s": statistics.median(steps / s for s in measured),
            "activities_s": activities, "training_s": sum(seconds), "steps": steps * (epochs + 1),
            "shards": int(re.search(r", (\d+) shards?", text)[1]), "peak_bytes": peak_bytes(text)}


def peak_bytes(text):
    return max(int(kilobytes) for kilobytes in re.findall(r"^peak_memory (\d+)$", text, re.MULTILINE)) * 1024


def peer(script, *arguments):
    """What peers/common.py's Clock printed, with the median speed."""
    text = call([sys.executable, os.path.join(HERE, "peers", script), *map(str, arguments)])
    result = json.loads(text.strip().splitlines()[-1])
    result["samples_per_s"] = statistics.median(result["samples_per_s"])
    return result


def gemm(rows, shards, sizes=SIZES, seconds=1.0):
    """The matrix products alone (gemm_shapes.cpp), on one core."""
    return json.loads(call([BUILD + "/tests/benchmarks/gemm_shapes", sizes, str(rows), str(shards), str(seconds)]))


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    git = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu, "cores": CORES, "kernel": f"{platform.system()} {platform.release()}", "date": time.strftime("%Y-%m-%d"),
            "ours": call([PROGRAM, "--version"]).strip().splitlines(), "commit": git}


def save(part, results):
    """With the machine that it was measured on."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(f"{FOLDER}/{part}.json", "w") as file:
        json.dump({"machine": machine(), "results": results}, file, indent=1)


def load(part):
    try:
        with open(f"{FOLDER}/{part}.json") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)
