"""Part `scaling`: step times over ranks and batch sizes on this node, with the activities of a step. Writes
build/benchmarks/scaling.json, which scaling_model.py fits. Ranks are powers of two up to the cores, and the cores."""
from harness import CORES, ROUNDS, ours, save, say

RANKS = sorted({1, CORES} | {1 << k for k in range(10) if 1 << k <= CORES})
BATCHES = (8, 32, 64, 128, 256, 512, 1024, 2048)


def main():
    points = []
    for number in range(max(1, ROUNDS - 1)):
        for batch in BATCHES:
            for ranks in RANKS:
                rows = min(55000, max(8192, batch * 16))
                one = ours(ranks, batch, 2, f"--data.rows=5000:{5000 + rows}")
                points.append({"ranks": ranks, "nodes": 1, "batch": batch, "shards": one["shards"],
                               "step_s": 1 / one["steps_per_s"], "activities_s": {name: s / one["steps"] for name, s in one["activities_s"].items()}})
                say(f"batch {batch}, {ranks} ranks: {1e3 / one['steps_per_s']:.3f} ms a step")
        save("scaling", {"model": "784-500x4-10", "parameters": 1149010, "points": points})


main()
