"""Part `watching`: what pictures, the status file and TensorBoard cost a step. Each round runs the variants one after the
other, and a plain run before and after each; a variant's figure is its seconds over the mean of its two neighbours', so
that a machine that grows slower or faster cancels out. Writes build/benchmarks/watching.json, prints a table, and ends
with exit code 1 when a median is above its bar. Run it on a machine that does nothing else; ROUNDS=9 in the environment
for more rounds."""
import os
import shutil
import statistics
import sys

from harness import CORES, FOLDER, ROUNDS, ours, save, say

RANKS = min(2, CORES)
EPOCHS = 4
# Name -> (bar, batch, options). Pictures of every 5 seconds and histograms of every epoch.
VARIANTS = {
    "run.plot": (1.01, 256, [f"--run.plot={FOLDER}/watched.png"]),
    "run.plot, batch 32": (1.01, 32, [f"--run.plot={FOLDER}/watched.png"]),
    "run.log": (1.01, 256, [f"--run.log={FOLDER}/watched.log"]),
    "status file": (1.01, 256, None),
    "TensorBoard": (1.01, 256, [f'--fit.callback=TensorBoard(log_dir="{FOLDER}/watched_logs")']),
    "TensorBoard, histogram_freq=1": (1.05, 256, [f'--fit.callback=TensorBoard(log_dir="{FOLDER}/watched_logs", histogram_freq=1)']),
}
STATUS = f"{FOLDER}/run.status.json"


def remove(*paths):
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)


def seconds(batch, options, status=False):
    """Of an epoch's steps. A foreign file of the status file's name is left alone, which switches the status off."""
    remove(STATUS, f"{FOLDER}/watched.png", f"{FOLDER}/watched.log", f"{FOLDER}/watched_logs")
    if not status:
        with open(STATUS, "w") as file:
            file.write("not a status\n")
    result = ours(RANKS, batch, EPOCHS, *options)
    if status != ("not a status" not in open(STATUS).read()):
        sys.exit(f"{STATUS} is not what this benchmark thinks; has the status file another name?")
    remove(STATUS)
    return 1 / result["samples_per_s"]


def main():
    ratios = {name: [] for name in VARIANTS}
    for number in range(ROUNDS):
        for name, (_, batch, options) in VARIANTS.items():
            before = seconds(batch, [])
            watched = seconds(batch, options or [], status=options is None)
            after = seconds(batch, [])
            ratios[name].append(2 * watched / (before + after))
        say(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in ratios.items()))
    save("watching", {name: {"bar": VARIANTS[name][0], "ratios": values} for name, values in ratios.items()})
    missed = []
    print("| watched by | time of a step, plain = 1: median (least-most) | bar |\n|---|---|---|")
    for name, values in ratios.items():
        bar = VARIANTS[name][0]
        print(f"| {name} | {statistics.median(values):.4f} ({min(values):.4f}-{max(values):.4f}) | {bar} |")
        if statistics.median(values) > bar:
            missed.append(name)
    if missed:
        sys.exit("above the bar: " + "; ".join(missed))


main()
