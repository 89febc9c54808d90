"""Fits a model of the step time to what scaling.py measured (build/benchmarks/scaling.json, or the part `scaling` of
docs/benchmarks.json) and writes docs/scaling.md with predictions for 16 to 4,096 ranks. Needs numpy alone.

One step of batch B on N ranks, p of them on each of M nodes, for a network of P parameters and F operations a sample:
  compute   c0 P + c1 F (B / N)      c0: the weights pass through the core once, whatever the rows; c1: seconds an operation
  optimizer o P / N                  each rank steps its slice
  share     max(e P, moved() / m)      m: memory bandwidth of a node
  wait      b0 log2(N) + b1 compute  barriers, and ranks that are not equally fast
  network   2 (M - 1) a + 2 (M - 1) / M 4 P / w      latency a a message, w bytes/s a node
"""
import json
import math
import statistics

import numpy as np

FOUND = "build/benchmarks/scaling.json", "docs/benchmarks.json"
# Assumed, not measured: a usual node of a cluster and links as vendors and textbooks have them.
RANKS_PER_NODE = 64
# Each rank reads the weights in forward and in backward; a gradient array is read into the cache, written, and read by those
# who add.
BYTES_OF_RANK, BYTES_OF_GRADIENT = 8, 12
CACHE_BYTES = 32 * 2**20
NODE_BYTES_PER_S = 200e9
LINKS = {"1 Gbit/s": (1e9 / 8, 50e-6), "10 Gbit/s": (10e9 / 8, 20e-6), "25 Gbit/s": (25e9 / 8, 10e-6), "100 Gbit/s": (100e9 / 8, 3e-6)}
NETWORKS = {"784-500x4-10": [784, 500, 500, 500, 500, 10], "784-4096x3-10": [784, 4096, 4096, 4096, 10], "100-256x2-1": [100, 256, 256, 1]}
BATCHES = (256, 2048, 16384, 131072)
RANKS = (16, 64, 256, 1024, 4096)


def parameters(sizes):
    return sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))


def operations(sizes):
    products = [a * b for a, b in zip(sizes, sizes[1:])]
    return 6 * sum(products) - 2 * products[0]  # the data need no gradient


def measured():
    for path in FOUND:
        try:
            with open(path) as file:
                data = json.load(file)
        except FileNotFoundError:
            continue
        data = data.get("scaling", data)
        if "results" in data:
            return data
    raise SystemExit("no measurements: run tests/benchmarks/run.sh scaling first")


def fastest(points):
    """Of each (batch, ranks) the round that was disturbed least."""
    best = {}
    for point in points:
        key = point["batch"], point["ranks"]
        if key not in best or point["step_s"] < best[key]["step_s"]:
            best[key] = point
    return [best[key] for key in sorted(best)]


def relative_fit(rows, values):
    """Least squares of relative errors; no coefficient below 0."""
    rows, values = np.array(rows, float), np.array(values, float)
    weighted = rows / values[:, None]
    solution = np.linalg.lstsq(weighted, np.ones(len(values)), rcond=None)[0]
    if solution.min() < 0:  # two columns: one of them alone
        best = None
        for column in range(rows.shape[1]):
            one = np.zeros(rows.shape[1])
            one[column] = max(0.0, np.linalg.lstsq(weighted[:, [column]], np.ones(len(values)), rcond=None)[0][0])
            error = np.linalg.norm(weighted @ one - 1)
            if best is None or error < best[0]:
                best = error, one
        solution = best[1]
    return solution


def compute_of(point):
    return sum(point["activities_s"][name] for name in ("input", "forward", "backward", "gradients"))


def fit(points, sizes):
    p, f = parameters(sizes), operations(sizes)
    c0, c1 = relative_fit([[p, f * point["batch"] / point["ranks"]] for point in points], [compute_of(point) for point in points])
    alone = [point for point in points if point["ranks"] == 1]
    several = [point for point in points if point["ranks"] > 1]
    o = statistics.median(point["activities_s"]["optimizer"] / p for point in alone)
    e = statistics.median((point["activities_s"]["exchange"] - point["activities_s"]["waiting"]) / p for point in several)
    waits = [max(1e-7, point["activities_s"]["waiting"]) for point in several]
    b0, b1 = relative_fit([[math.log2(point["ranks"]), compute_of(point)] for point in several], waits)
    return {"c0": c0, "c1": c1, "o": o, "e": e, "b0": b0, "b1": b1}


def step(k, sizes, batch, ranks, link=None, overlap=False):
    """Seconds."""
    p, f = parameters(sizes), operations(sizes)
    local = min(ranks, RANKS_PER_NODE)
    nodes = math.ceil(ranks / RANKS_PER_NODE)
    compute = k["c0"] * p + k["c1"] * f * batch / ranks
    rest = k["o"] * p / ranks
    if ranks > 1:
        rest += max(k["e"] * p, moved(sizes, batch, local, nodes) / NODE_BYTES_PER_S if local > 2 else 0) + k["b0"] * math.log2(ranks) + k["b1"] * compute
    network = 0.0
    if nodes > 1:
        bandwidth, latency = LINKS[link]
        network = 2 * (nodes - 1) * latency + 2 * (nodes - 1) / nodes * 4 * p / bandwidth
    return (max(compute, network) if overlap else compute + network) + rest


def moved(sizes, batch, local, nodes):
    """Bytes a step through the memory of a node; what fits into its caches together is not counted. Who makes gradients is
    decided as by kernels_for_owners() of src/train/step/node_rows.cpp."""
    kernels, rows = list(zip(sizes, sizes[1:])), batch / nodes
    total = BYTES_OF_RANK * local * parameters(sizes)
    through_caches = 4 * rows * sum(a + b for a, b in kernels) <= CACHE_BYTES
    by_owners = 4 * rows * sum(a / local + b for a, b in kernels)  # bytes a rank
    arrays_in_caches = 4 * local * sum(a * b for a, b in kernels) <= CACHE_BYTES
    by_arrays = BYTES_OF_GRADIENT * sum(a * b for a, b in kernels)
    if by_owners * (1 if through_caches else 4) > by_arrays * (1 if arrays_in_caches else 4):
        return total + (0 if arrays_in_caches else local * by_arrays)
    return total + (0 if through_caches else local * by_owners) + (by_arrays if nodes > 1 else 0)


def milliseconds(seconds):
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def prediction_table(k, sizes, batch):
    lines = ["| ranks (nodes) | " + " | ".join(LINKS) + " |", "|---" * (len(LINKS) + 1) + "|"]
    one = step(k, sizes, batch, 1)
    for ranks in RANKS:
        if ranks > batch:
            continue
        nodes = math.ceil(ranks / RANKS_PER_NODE)
        cells = []
        for link in LINKS:
            apart, together = step(k, sizes, batch, ranks, link), step(k, sizes, batch, ranks, link, overlap=True)
            cells.append(f"{milliseconds(apart)} ({one / apart:.0f}x)" if nodes == 1 else
                         f"{milliseconds(together)} - {milliseconds(apart)} ({one / together:.0f} - {one / apart:.0f}x)")
        if nodes == 1:
            cells = cells[:1] + ["same"] * (len(LINKS) - 1)
        lines.append(f"| {ranks:,} ({nodes}) | " + " | ".join(cells) + " |")
    return lines + [""]


def document(data, points, sizes, k):
    machine, p = data["machine"], parameters(sizes)
    errors = []
    fitted = ["| batch | ranks | measured | model | off by |", "|---|---|---|---|---|"]
    for point in points:
        model = step(k, sizes, point["batch"], point["ranks"])
        errors.append(abs(model / point["step_s"] - 1))
        fitted.append(f"| {point['batch']} | {point['ranks']} | {milliseconds(point['step_s'])} | {milliseconds(model)} | {100 * (model / point['step_s'] - 1):+.0f} % |")
    most = max(point["ranks"] for point in points)
    lines = f"""# How training scales

Written by `tests/benchmarks/run.sh scaling` and `scaling_model`: a model of the step time, fitted to measurements on one node, and what it
predicts for clusters. **Measured: 1 to {most} ranks on one node** ({machine['cpu']}, {machine['cores']} cores, {machine['date']}, commit
{machine['commit']}), the model {data['results']['model']} at batch {min(q['batch'] for q in points)} to {max(q['batch'] for q in points):,}. **Not measured: everything beyond**, that is nodes with
many ranks, real networks and other networks than this one. Two hosts over a limited link: [exchange.md](exchange.md).

## The model

One step of a mini-batch of B rows on N ranks, p of them on each of M nodes; a network of P parameters that takes F operations a row
(2 for each multiply-add; forward, and two products backward, but one for the first layer):

| part | seconds | fitted here | why |
|---|---|---|---|
| compute | c0 P + c1 F B / N | c0 = {1e9 * k['c0']:.3f} ns, 1 / c1 = {1e-9 / k['c1']:.0f} GFLOP/s | the weights and their gradients pass through a core once, whatever the rows; then matrix products |
| optimizer | o P / N | o = {1e9 * k['o']:.3f} ns | each rank steps its slice |
| share | max(e P, (t p P + g) / m) | e = {1e9 * k['e']:.3f} ns | each rank reads the weights in forward and in backward, t = {BYTES_OF_RANK} bytes a parameter; g bytes for the gradients, see below; from a memory of m bytes/s |
| wait | b0 log2 N + b1 compute | b0 = {1e6 * k['b0']:.1f} us, b1 = {100 * k['b1']:.1f} % | barriers; ranks that are not equally fast |
| network | 2 (M - 1) a + 2 (M - 1) / M x 4 P / w | not measured | each node sends and receives sums, then new values: a message to each peer, latency a; w bytes/s a node |

The network's part is the alpha-beta model [1] of a pairwise reduce-scatter and all-gather [2]; 2 (M - 1) / M x 4 P bytes is the least
that any all-reduce can move [3, 4]. The exchange sends a layer's sums while backward goes on and new values while the next forward begins, so
that the truth lies between two bounds: all of the network's time hidden behind computing, max(compute, network), and none of it,
compute + network. Tables below show both: from - to. `run.wire = bfloat16` halves the bytes.

Fit: least squares of relative errors over the table below, the fastest round of each. Mean error {100 * statistics.mean(errors):.0f} %, largest {100 * max(errors):.0f} %. Milliseconds:

""".splitlines() + fitted + f"""
## Assumed for the predictions

* {RANKS_PER_NODE} ranks a node, one a core, each as fast as a core measured here when {most} run. Cores that share caches, memory and clock are slower
  when all work; b1 would then be larger. m = {NODE_BYTES_PER_S / 1e9:.0f} GB/s, 12 channels of DDR5 at half their peak.
* One link a node, its nominal rate in both directions at once, no other traffic, no losses; latencies a: {', '.join(f'{1e6 * a:.0f} us at {name}' for name, (_, a) in LINKS.items())}.
* Gradients, g ([exchange.md](exchange.md) says who makes them): owners read x and dz of all rows of their node, and on several nodes write its
  sums, {BYTES_OF_GRADIENT} bytes a parameter; or each rank writes arrays, {BYTES_OF_GRADIENT} bytes a parameter and rank. Rows of a node that take at most {CACHE_BYTES >> 20} MB together, or arrays
  that do, stay in its caches and are not counted.
* Waits grow with log2 N; a single slow rank of thousands delays all, which this does not know.
* Enough shards: `run.shards` >= N. The number of rows is at least that of ranks. Ranks beyond either work on their slices only; a NOTE says how many.
* Steps alone: no checkpoints, no evaluation, no reading. And time only: a larger mini-batch is another training run, and may need another
  learning rate (`fit.learning_rate_scaling`, `fit.warmup_epochs`) or reach less.

## Predictions

Milliseconds a step (times faster than one rank at the same batch).
""".splitlines()
    for name, network in NETWORKS.items():
        lines += ["", f"### {name}: {parameters(network):,} parameters, {operations(network) / 1e6:.1f} MFLOP a row", ""]
        for batch in BATCHES:
            lines += [f"Batch {batch:,}; one rank: {milliseconds(step(k, network, batch, 1))} ms", ""] + prediction_table(k, network, batch)
    lines += readings(k, sizes) + [
        "## Sources", "",
        "1. R. W. Hockney, The communication challenge for MPP: Intel Paragon and Meiko CS-2, Parallel Computing 20(3), 1994.",
        "2. R. Thakur, R. Rabenseifner, W. Gropp, Optimization of collective communication operations in MPICH, Int. J. High Performance",
        "   Computing Applications 19(1), 2005.",
        "3. E. Chan, M. Heimlich, A. Purkayastha, R. van de Geijn, Collective communication: theory, practice, and experience, Concurrency",
        "   and Computation 19(13), 2007.",
        "4. P. Patarasuk, X. Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, J. Parallel and Distributed Computing",
        "   69(2), 2009.", ""]
    return "\n".join(lines)


def readings(k, sizes):
    """What to take from the tables: where the network's time equals computing."""
    lines = ["## What to take from this", "",
             f"* A network is hidden as long as a step computes longer than it sends. For {'-'.join(map(str, sizes[:1]))}-500x4-10 on many nodes that takes about:", "",
             "| link | rows a rank |", "|---|---|"]
    p, f = parameters(sizes), operations(sizes)
    for name, (bandwidth, _) in LINKS.items():
        rows = max(0.0, (2 * 4 * p / bandwidth - k["c0"] * p) / (k["c1"] * f))
        lines.append(f"| {name} | {rows:,.0f} |")
    return lines + ["", "  The number does not depend on the number of nodes, and little on the network: bytes and operations both grow with its parameters.",
                    "* Below it, more ranks a node help only as far as computing is not yet shorter than sending, and more nodes do not help.",
                    f"* One node with many cores needs no network: on it the limit is the memory that all ranks read the weights from, {BYTES_OF_RANK} P p bytes a step.", ""]


def main():
    data = measured()
    sizes = NETWORKS[data["results"]["model"]]
    points = fastest(data["results"]["points"])
    k = fit(points, sizes)
    with open("docs/scaling.md", "w") as file:
        file.write(document(data, points, sizes, k))
    print("docs/scaling.md: " + ", ".join(f"{name} = {value:.3g}" for name, value in k.items()))


if __name__ == "__main__":
    main()
