"""Runs ours and the peers in turn and writes the table. Called by run.sh, in the peers' environment."""
import json
import os
import platform
import re
import statistics
import subprocess
import sys

PROGRAM, ROUNDS = sys.argv[1], int(sys.argv[2])
HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS = {32: 2, 256: 4, 2048: 8}
SCRATCH = "build/benchmarks/run.h5"


def ours(ranks, batch, *options):
    """Samples/s of training from the closing table, and its share of the measured GEMM rate in per cent."""
    if os.path.exists(SCRATCH):
        os.remove(SCRATCH)
    command = ["mpirun", "--bind-to", "none", "-np", str(ranks), PROGRAM, "train", "configs/fashion_mnist.ini",
               f"--fit.batch_size={batch}", f"--fit.epochs={EPOCHS[batch]}", "--data.validation_rows=",
               f"--checkpoint.path={SCRATCH}", "--checkpoint.every_epochs=1000", "--fit.verbose=2", *options]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    speed = float(re.search(r"Performance: (\d+) samples/s", text)[1])
    share = float(re.search(r"(\d+) % of the measured GEMM rate", text)[1])
    return speed, share


def peer(script, *arguments):
    """Median samples/s over the epochs that it prints."""
    command = [sys.executable, os.path.join(HERE, "peers", script), *map(str, arguments)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return statistics.median(float(line) for line in text.split())


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main():
    results = {}
    for batch in (32, 256, 2048):
        rows = {name: [] for name in ("ours np 2", "ours np 1", "JAX", "Keras", "DDP", "share", "shards = N")}
        for _ in range(ROUNDS):
            rows["ours np 2"].append(ours(2, batch)[0])
            rows["JAX"].append(peer("jax_plain.py", batch, EPOCHS[batch]))
            rows["Keras"].append(peer("keras_fit.py", batch, EPOCHS[batch]))
            rows["DDP"].append(peer("torch_ddp.py", batch, max(1, EPOCHS[batch] // 2), 2))
            speed, share = ours(1, batch)
            rows["ours np 1"].append(speed)
            rows["share"].append(share)
            rows["shards = N"].append(ours(2, batch, "--run.shards=2")[0])
        results[batch] = rows
        print(batch, {name: [round(v) for v in values] for name, values in rows.items()}, flush=True)
    with open("build/benchmarks/results.json", "w") as file:
        json.dump(results, file, indent=1)

    def ratios(batch, other):
        return [a / b for a, b in zip(results[batch]["ours np 2"], results[batch][other])]

    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip().replace("\n", "; ")
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    import importlib.metadata as packages
    peers = ", ".join(f"{name} {packages.version(name)}" for name in ("jax", "keras", "torch"))
    lines = ["# Benchmarks", "",
             "Written by `tests/benchmarks/run.sh`: ours and what a user would pick instead, in turn on the same two cores, real",
             "Fashion-MNIST, the model 784-500x4-10 with SGD. Machines are shared and noisy: read the ratios, medians over",
             f"{ROUNDS} rounds with their range.", "",
             f"* CPU: {cpu}, {os.cpu_count()} cores, {platform.system()}", f"* ours: {version}", f"* peers: {peers}", "",
             "| | batch 32 | 256 | 2048 |", "|---|---|---|---|"]
    names = {"JAX": "ours np 2 / plain JAX, one process, the epoch compiled as one call",
             "Keras": "ours np 2 / Keras fit on JAX", "DDP": "ours np 2 / PyTorch DDP gloo, 2 ranks",
             "ours np 1": "ours np 2 / ours np 1", "shards = N": "exact for every N / shards = 2 (cost of exactness)"}
    for key, text in names.items():
        lines.append(f"| {text} | " + " | ".join(spread(ratios(b, key)) for b in results) + " |")
    lines.append("| share of the measured GEMM rate, np 1, % | "
                 + " | ".join(f"{statistics.median(results[b]['share']):.0f}" for b in results) + " |")
    for key in ("ours np 2", "ours np 1", "JAX", "Keras", "DDP"):
        lines.append(f"| {key}, samples/s | " + " | ".join(f"{statistics.median(results[b][key]):.0f}" for b in results) + " |")
    with open("docs/benchmarks.md", "w") as file:
        file.write("\n".join(lines) + "\n")
    print("\n".join(lines))


main()
