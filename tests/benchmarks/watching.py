"""Part `watching`: what pictures, the status file and TensorBoard cost a run. On a shared machine two runs differ by more
than the bars, so each is measured within one run: epochs in which the watcher works against those in which it does not,
alternating, from one "Epoch k/K" line to the next.

* run.plot: the share of the run's time in which a gnuplot process lives, which is what the run loses if all ranks stand
  still meanwhile (a gnuplot before the real one on PATH notes when it starts and ends, with the same priority). Beside it
  in the JSON file, "slower": epochs with a drawing against their neighbours without.
* TensorBoard(histogram_freq=2): epochs that end with histograms against those that do not.
* TensorBoard(histogram_freq=0), run.log and the status file work in every epoch: system calls on their files are timed
  (strace -f -T), which is more than they take without strace.

Writes build/benchmarks/watching.json, prints a table, ends with exit code 1 when a cost is above its bar (1 %, with
histograms 5 %). EPOCHS=40 in the environment: epochs of a run."""
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

from harness import CORES, FOLDER, HERE, mpirun, save, say

RANKS = min(2, CORES)
EPOCHS = int(os.environ.get("EPOCHS", "40"))
CHECKPOINT = f"{FOLDER}/watched.h5"
PICTURE, LOGS, LOG = f"{FOLDER}/watched.png", f"{FOLDER}/watched_logs", f"{FOLDER}/watched.log"


def command(batch, *options):
    for path in (CHECKPOINT, CHECKPOINT + ".1", PICTURE, LOG, f"{FOLDER}/watched.status.json"):
        if os.path.exists(path):
            os.remove(path)
    shutil.rmtree(LOGS, ignore_errors=True)
    return mpirun(RANKS, "train", os.path.join(HERE, "fashion_mnist.ini"), f"--fit.batch_size={batch}", f"--fit.epochs={EPOCHS}",
                  "--fit.verbose=2", f"--checkpoint.path={CHECKPOINT}", *options)


def run(batch, *options):
    """Starts and ends of all epochs but the first and the last, in seconds since 1970."""
    process = subprocess.Popen(command(batch, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    starts, text = [], ""
    for line in process.stdout:
        text += line
        if re.match(r"Epoch \d+/", line):
            starts.append(time.time())
    if process.wait() != 0:
        sys.exit(text[-3000:])
    return list(zip(starts[1:-1], starts[2:]))


def gnuplot_that_notes():
    """Its folder is first on PATH; its notes are pairs of lines in gnuplot.times."""
    folder = os.path.abspath(f"{FOLDER}/watched_bin")
    os.makedirs(folder, exist_ok=True)
    notes = f"{folder}/gnuplot.times"
    if os.path.exists(notes):
        os.remove(notes)
    with open(f"{folder}/gnuplot", "w") as script:
        script.write(f"""#!/bin/sh
date +%s.%N >> '{notes}'
{shutil.which('gnuplot')} "$@"
code=$?
date +%s.%N >> '{notes}'
exit $code
""")
    os.chmod(f"{folder}/gnuplot", 0o755)
    return folder, notes


def cost(epochs, watched):
    """Share of the run's time that watched epochs (a list of bool) take more than their neighbours that are not: machines
    are faster now and slower then, neighbours are alike."""
    ratios = []
    for k, seconds in enumerate(epochs):
        near = [epochs[j] for j in range(max(0, k - 2), min(len(epochs), k + 3)) if not watched[j]]
        if watched[k] and near:
            ratios.append(seconds / statistics.median(near))
    if not ratios:
        sys.exit("no epoch with the watcher at work has a neighbour without it: nothing to compare")
    return (statistics.median(ratios) - 1) * sum(watched) / len(epochs)


def plot(batch):
    folder, notes = gnuplot_that_notes()
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{path}"
    epochs = run(batch, f"--run.plot={PICTURE}")
    os.environ["PATH"] = path
    times = [float(line) for line in open(notes)]
    drawings = list(zip(times[0::2], times[1::2]))
    drawn = [any(begin < end and finish > start for begin, finish in drawings) for start, end in epochs]
    seconds = [end - start for start, end in epochs]
    lives = sum(finish - begin for begin, finish in drawings[:-1])  # the last one is drawn when the training is over
    return {"cost": lives / (drawings[-1][0] - epochs[0][0]), "slower": cost(seconds, drawn), "epochs": len(epochs),
            "busy": sum(drawn), "seconds": seconds}


def histograms(batch):
    epochs = [end - start for start, end in run(batch, f'--fit.callback=TensorBoard(log_dir="{LOGS}", histogram_freq=2)')]
    # Epochs count from 0 in Keras' callback; the list begins with epoch 1. An epoch ends with what it writes.
    busy = [k % 2 == 1 for k in range(len(epochs))]
    # Every second epoch has them here, every one with histogram_freq=1: twice the share.
    return {"cost": 2 * cost(epochs, busy), "epochs": len(epochs), "busy": sum(busy), "seconds": epochs}


def system_calls(batch):
    """Seconds inside system calls on each watcher's files, over the seconds of the run, on rank 0."""
    trace = f"{FOLDER}/watched.strace"
    options = [f"--run.log={LOG}", f'--fit.callback=TensorBoard(log_dir="{LOGS}")']
    line = command(batch, *options)
    at = line.index(sys.executable)
    start = time.monotonic()
    done = subprocess.run(line[:at] + ["strace", "-f", "-ff", "-T", "-y", "-e", "trace=openat,write,rename,close,unlink,fsync,mkdir",
                                       "-o", trace] + line[at:], capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    spent = {"run.log": 0.0, "status file": 0.0, "TensorBoard": 0.0}
    words = {"run.log": "watched.log", "status file": "status.json", "TensorBoard": "watched_logs"}
    folder = os.path.dirname(trace)
    for name in os.listdir(folder):
        if not name.startswith("watched.strace"):
            continue
        path = os.path.join(folder, name)
        for call in open(path, errors="replace"):
            took = re.search(r"<([\d.]+)>$", call.rstrip())
            for watcher, word in words.items():
                if took and word in call:
                    spent[watcher] += float(took[1])
        os.remove(path)
    return {watcher: {"cost": total / seconds, "epochs": EPOCHS, "busy": EPOCHS} for watcher, total in spent.items()}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    results = {}
    for batch in (256, 32):
        results[f"run.plot, batch {batch}"] = (0.01, plot(batch))
        say(f"run.plot, batch {batch}: {results[f'run.plot, batch {batch}'][1]}")
        results[f"TensorBoard, histogram_freq=1, batch {batch}"] = (0.05, histograms(batch))
        say(f"histograms, batch {batch}: {results[f'TensorBoard, histogram_freq=1, batch {batch}'][1]}")
    for watcher, result in system_calls(256).items():
        results[watcher] = (0.01, result)
    save("watching", {name: {"bar": bar, **result} for name, (bar, result) in results.items()})
    print("| watched by | cost, share of the run's time | bar | epochs, of which with the watcher at work |\n|---|---|---|---|")
    for name, (bar, result) in results.items():
        print(f"| {name} | {100 * result['cost']:.2f} % | {100 * bar:.0f} % | {result['epochs']}, {result['busy']} |")
    missed = [name for name, (bar, result) in results.items() if result["cost"] > bar]
    if missed:
        sys.exit("above the bar: " + "; ".join(missed))


if __name__ == "__main__":
    main()
