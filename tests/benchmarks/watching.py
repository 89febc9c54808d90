"""Part `watching`: what pictures, the status file and TensorBoard cost a run. On a shared machine two runs differ by more
than the bars, so each is measured within one run: epochs in which the watcher works against those in which it does not,
alternating, from one "Epoch k/K" line to the next.

* run.plot: epochs during which a gnuplot process lives against the others; their share of all gives the cost of the run.
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
import threading
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


def lives(name):
    return subprocess.run(["pgrep", "-x", name], capture_output=True).returncode == 0


def run(batch, *options, watch=""):
    """Seconds of each epoch but the first and the last, and whether a process named `watch` lived during it."""
    process = subprocess.Popen(command(batch, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen, done = [], threading.Event()

    def look():
        while not done.wait(0.01):
            if lives(watch):
                seen.append(time.monotonic())

    watcher = threading.Thread(target=look)
    if watch:
        watcher.start()
    starts, text = [], ""
    for line in process.stdout:
        text += line
        if re.match(r"Epoch \d+/", line):
            starts.append(time.monotonic())
    done.set()
    if watch:
        watcher.join()
    if process.wait() != 0:
        sys.exit(text[-3000:])
    epochs = list(zip(starts[1:-1], starts[2:]))
    return [(end - start, any(start <= at < end for at in seen)) for start, end in epochs]


def compared(busy, idle, share):
    """Cost as a share of the run's time, from medians of neighbours in time."""
    return (statistics.median(busy) / statistics.median(idle) - 1) * share


def plot(batch):
    epochs = run(batch, f"--run.plot={PICTURE}", watch="gnuplot")
    busy = [seconds for seconds, drawn in epochs if drawn]
    idle = [seconds for seconds, drawn in epochs if not drawn]
    if not busy or not idle:
        sys.exit(f"{len(busy)} epochs with a drawing and {len(idle)} without: nothing to compare")
    return {"cost": compared(busy, idle, len(busy) / len(epochs)), "epochs": len(epochs), "busy": len(busy)}


def histograms(batch):
    epochs = [seconds for seconds, _ in
              run(batch, f'--fit.callback=TensorBoard(log_dir="{LOGS}", histogram_freq=2)')]
    # Epochs count from 0 in Keras' callback; the list begins with epoch 1. An epoch ends with what it writes.
    idle, busy = epochs[0::2], epochs[1::2]
    return {"cost": compared(busy, idle, 1.0), "epochs": len(epochs), "busy": len(busy)}


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


main()
