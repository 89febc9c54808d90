"""What it costs that ranks agree at the start and that copies of the weights are compared, against a bar of 1 % of the
run time at defaults. Twice, on configs/fashion_mnist.ini with two ranks, on one node and on two (virtual) nodes: each
work by itself, times how often a run does it; and whole runs with run.verify_every at its default and at 0, in turn, in
wall and processor seconds, to show that nothing else hides. Needs `agreement_benchmark` built.
  python3 tests/benchmarks/agreement.py         ROUNDS=5 EPOCHS=2 in the environment
Writes build/benchmarks/agreement.json; exit code 1 when the bar is missed."""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

ROUNDS, EPOCHS = int(os.environ.get("ROUNDS", "5")), int(os.environ.get("EPOCHS", "2"))
BAR = 0.01
VERIFY_EVERY = 1000  # the default
PROGRAM, BENCHMARK = "build/release/nntrain-dist", "build/release/tests/benchmarks/agreement_benchmark"
CONFIG, FOLDER = "configs/fashion_mnist.ini", "build/benchmarks"
RUN = f"{FOLDER}/agreement.h5"
LAYOUTS = {"2 ranks on one node": {}, "2 ranks on two nodes": {"NNTRAIN_RANKS_PER_NODE": "1"}}
MPIRUN = ["mpirun", "--bind-to", os.environ.get("BIND", "core"), "-np", "2"]


def call(command, environment):
    """Standard output, wall seconds and processor seconds of all that was started."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def settings():
    """section.key=value of the configuration, for a benchmark that reads no file of ours."""
    section = ""
    for line in open(CONFIG):
        line = line.split(" #")[0].strip()
        if line.startswith("["):
            section = line[1:-1]
        elif "=" in line and not line.startswith("#") and section != "checkpoint":
            key, value = line.split("=", 1)
            yield f"{section}.{key.strip()}={value.strip()}"


def run(environment, verify_every):
    if os.path.exists(RUN):
        os.remove(RUN)
    text, wall, cpu = call(MPIRUN + [PROGRAM, "train", CONFIG, f"--fit.epochs={EPOCHS}", f"--checkpoint.path={RUN}",
                                     "--fit.verbose=2", f"--run.verify_every={verify_every}"], environment)
    return wall, cpu, int(next(line for line in text.splitlines() if "/" in line and " - loss" in line).split("/")[0])


def main():
    os.makedirs(FOLDER, exist_ok=True)
    results, missed = {}, False
    for name, environment in LAYOUTS.items():
        alone = json.loads(call(MPIRUN + [BENCHMARK, *settings()], environment)[0])
        ratios, walls = {"wall": [], "cpu": []}, []
        for number in range(ROUNDS):
            both = {}
            for verify_every in ((VERIFY_EVERY, 0) if number % 2 == 0 else (0, VERIFY_EVERY)):
                both[verify_every] = run(environment, verify_every)
            on, off = both[VERIFY_EVERY], both[0]
            ratios["wall"].append(on[0] / off[0])
            ratios["cpu"].append(on[1] / off[1])
            walls += [on[0], off[0]]
            print(f"{name}: round {number + 1}: wall {on[0]:.2f} s against {off[0]:.2f} s, cpu {on[1]:.2f} s against {off[1]:.2f} s", flush=True)
        # Every 1000 steps, and before every checkpoint: one an epoch.
        checks = on[2] * EPOCHS // VERIFY_EVERY + EPOCHS
        share = (alone["start_seconds"] + checks * alone["copies_seconds"]) / statistics.median(walls)
        missed = missed or share > BAR
        medians = {key: statistics.median(values) for key, values in ratios.items()}
        results[name] = {**alone, "checks": checks, "run_seconds": statistics.median(walls), "share": share, "ratios": ratios}
        print(f"{name}: agreement at the start {1e3 * alone['start_seconds']:.3f} ms, a comparison {1e3 * alone['copies_seconds']:.3f} ms, "
              f"{checks} of them: {100 * share:.4f} % of {statistics.median(walls):.1f} s (bar {100 * BAR:g} %); "
              f"whole runs with / without, medians of {ROUNDS}: wall {medians['wall']:.4f}, cpu {medians['cpu']:.4f}")
    with open(f"{FOLDER}/agreement.json", "w") as file:
        json.dump(results, file, indent=1)
    sys.exit(1 if missed else 0)


main()
