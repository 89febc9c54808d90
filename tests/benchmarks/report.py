"""Part `report`: docs/benchmarks.md and docs/benchmarks.json from what the other parts measured last."""
import json
import statistics

from harness import BATCHES, load

FORWARD_FLOPS = 2 * 1146200
BARS = {"JAX": (1.5, 1.3, 1.2), "Keras": (1.8, 1.4, 1.5), "DDP": (8, 2.8, 2), "ours np 1": (1.6, 1.85, 1.93)}
NAMES = {"JAX": "plain JAX, one process, both cores, the epoch compiled as one call", "Keras": "Keras fit on JAX, both cores",
         "DDP": "PyTorch DDP over gloo, 2 ranks", "PyTorch": "PyTorch, one process, 2 threads", "ours np 1": "ours np 1"}
SHARE_BARS = (70, 88, 93)


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def speed(values):
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def against(values, bar, digits=2, unit="", at_most=False):
    """The median and range, with the bar where it is missed."""
    median = statistics.median(values)
    missed = bar is not None and (median > bar if at_most else median < bar)
    return spread(values, digits) + unit + (f", **bar {'<=' if at_most else '>='} {bar}{unit} missed**" if missed else "")


def head_lines(machine):
    return [f"* Machine: {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}; {machine['date']}, commit {machine['commit']}"] + \
           [f"* Ours: {'; '.join(machine['ours'])}"]


def peers_lines(data):
    rounds = data["results"]
    batches = [str(batch) for batch in BATCHES if str(batch) in rounds]
    first = rounds[batches[0]][0]
    lines = head_lines(data["machine"]) + [
        f"* Peers: JAX {first['JAX']['version']}, Keras {first['Keras']['version']}, PyTorch {first['DDP']['version']}", "",
        "## Against what a user would pick instead", "",
        "The model 784-500x4-10 with SGD on the 55,000 rows 5000: of the real Fashion-MNIST, two cores. Cells: median and range of",
        f"the ratios of speeds within a round, {len(rounds[batches[0]])} rounds.", ""]

    def ratios(batch, other):
        return [one["ours np 2"]["samples_per_s"] / one[other]["samples_per_s"] for one in rounds[batch]]

    def bar(bars, batch):
        return bars[(32, 256, 2048).index(int(batch))] if bars and int(batch) in (32, 256, 2048) else None

    rows = [["ours np 2 / " + NAMES[other]] + [against(ratios(batch, other), bar(BARS.get(other), batch)) for batch in batches]
            for other in ("JAX", "Keras", "DDP", "PyTorch", "ours np 1")]
    shares = {batch: [100 * one["GEMM"]["engine_s"] / (int(batch) / one["ours np 1"]["samples_per_s"]) for one in rounds[batch]] for batch in batches}
    rows.append(["share of the measured GEMM rate at these shapes, np 1"] +
                [against(shares[batch], bar(SHARE_BARS, batch), 0, " %") for batch in batches])
    lines += table(["", *(f"batch {batch}" for batch in batches)], rows)
    lines += ["Bars: " + "; ".join(f"{name} {' / '.join(str(b) for b in bars)}" for name, bars in BARS.items()) +
              f"; share {' / '.join(str(b) for b in SHARE_BARS)} %, at 32 / 256 / 2048.", "", "Samples/s, median and range:", ""]
    lines += table(["", *(f"batch {batch}" for batch in batches), "cores in use"], [
        [name] + [speed([one[name]["samples_per_s"] for one in rounds[batch]]) for batch in batches] +
        [" / ".join(f"{statistics.median(one[name]['cores'] for one in rounds[batch]):.1f}" for batch in batches) + (" a rank" if name == "DDP" else "")
         if "cores" in first[name] else "1 a rank"]
        for name in ("ours np 2", "ours np 1", "JAX", "Keras", "DDP", "PyTorch")])
    lines += ["Matrix products alone on one core, GFLOP/s of a step's products, and the rate of a large product (512 x 512 x 512):", ""]

    def rates(batch, key):
        return spread([one["GEMM"]["step_gflop"] / one["GEMM"][key] for one in rounds[batch]], 0)

    lines += table(["", *(f"batch {batch}" for batch in batches)], [
        ["as the engine does them, exact for every number of ranks (the share's 100 %)"] + [rates(batch, "engine_s") for batch in batches],
        ["one call of the library over all rows, exactness given up"] + [rates(batch, "at_once_s") for batch in batches],
        ["large product"] + [spread([one["GEMM"]["large_gflops"] for one in rounds[batch]], 0) for batch in batches]])
    return lines


def variants_lines(data):
    rounds = data["results"]

    def each(f):
        return [f(one) for one in rounds]

    def base(one):
        return (one["base"]["samples_per_s"] + one["base again"]["samples_per_s"]) / 2

    def share(one, *names):
        return 100 * sum(one["base"]["activities_s"][name] for name in names) / one["base"]["training_s"]

    cost = each(lambda one: 100 * (one["shards 2"]["samples_per_s"] / base(one) - 1))
    exchange = each(lambda one: share(one, "exchange", "optimizer"))
    quiet = each(lambda one: share(one, "exchange", "optimizer") - share(one, "waiting"))
    lines = ["## Inside a step", "", "np 2, batch 256, 128 rows a rank, if nothing else is said.", ""]
    lines += table(["", "median (range)", "bar"], [
        ["cost of exactness: step with 8 shards over step with 2", against(cost, 5, 1, " %", True), "<= 5 %"],
        ["exchange and optimizer, share of the step", against(exchange, 5, 1, " %", True), "<= 5 %"],
        ["the same without waiting for the other rank", spread(quiet, 1) + " %", ""],
        ["input: shuffled gathering, share of the step", against(each(lambda one: share(one, "input")), 5, 2, " %", True), "<= 5 %"]])
    lines += ["## Other work", ""]
    rows = [[text, speed(each(lambda one: one[name]["samples_per_s"])), note] for name, text, note in (
        ("base", "SGD, the model above, np 2", ""), ("Adam", "Adam(0.001)", ""),
        ("BatchNormalization, Dropout", "BatchNormalization and Dropout(0.2) after each hidden layer", ""))]
    wide_flops = 2 * 3 * (784 * 4096 + 2 * 4096 * 4096 + 4096 * 10) - 2 * 784 * 4096
    wide = each(lambda one: one["wide np 2"]["samples_per_s"] * wide_flops * 1e-9)
    wide_share = each(lambda one: 100 * one["GEMM wide"]["engine_s"] / (256 / one["wide np 2"]["samples_per_s"]))
    rows.append(["wide: 784-4096x3-10, np 2", speed(each(lambda one: one["wide np 2"]["samples_per_s"])),
                 f"{spread(wide, 0)} GFLOP/s, {spread(wide_share, 0)} % of the GEMM rate at these shapes"])
    for ranks in (1, 2):
        steps = each(lambda one: one[f"narrow np {ranks}"]["steps_per_s"])
        rows.append([f"narrow: 13-64-64-1, batch 32, np {ranks}", speed(each(lambda one: one[f"narrow np {ranks}"]["samples_per_s"])), f"{speed(steps)} steps/s"])
    for name in ("evaluate", "predict"):
        for ranks in (1, 2):
            speeds = each(lambda one: one[f"{name} np {ranks}"]["samples_per_s"])
            rate = each(lambda one: 100 * one[f"{name} np {ranks}"]["samples_per_s"] * FORWARD_FLOPS * 1e-9 / (ranks * one["GEMM 4096 rows"]["forward_gflops"]))
            rows.append([f"{name}, 60,000 rows, np {ranks}", speed(speeds), against(rate, 85, 0, " %") + " of the GEMM rate at 4,096 rows; bar 85 %"])
    lines += table(["", "samples/s", ""], rows)
    lines += ["Peak memory of a rank, shared pages counted in each (MB):", ""]
    lines += table(["the model above, np 2", "wide, np 2", "predict, np 2"],
                   [[f"{max(one[name]['peak_bytes'] for one in rounds) / 1e6:.0f}" for name in ("base", "wide np 2", "predict np 2")]])
    return lines


def scaling_lines(data):
    points = data["results"]["points"]
    ranks = sorted({point["ranks"] for point in points})
    batches = sorted({point["batch"] for point in points})

    def step(batch, n):
        return statistics.median(point["step_s"] for point in points if (point["batch"], point["ranks"]) == (batch, n))

    lines = ["## Ranks on one node", "", "Milliseconds a step, and how many times faster than one rank:", ""]
    lines += table(["batch", *(f"np {n}" for n in ranks)],
                   [[str(batch)] + [f"{1e3 * step(batch, n):.3f} ({step(batch, 1) / step(batch, n):.2f}x)" for n in ranks] for batch in batches])
    return lines + ["Predictions for more ranks: [scaling.md](scaling.md). Networks, and the exchange alone: [exchange.md](exchange.md).", ""]


def checkpoint_lines(data):
    rounds = data["results"]
    first = rounds[0]

    def each(key, factor=1.0):
        return [factor * one[key] for one in rounds]

    lines = ["## A big checkpoint", "", f"{first['parameters']:,} parameters with Adam, a file of {first['file_bytes'] / 1e9:.2f} GB, {len(rounds)} rounds; dd writes as",
             "many bytes in blocks of 4 MiB with fsync, before and after each. Digests, verification, fsync and rename are in the time.", ""]
    stall = [] if "stall_s" not in first else [
        ["training stalled for it, times that copy", against(each("stall_ratio"), 1.2, at_most=True)],
        ["training stalled for it, s", spread(each("stall_s"))]]
    return lines + table(["", "median (range)"], [
        ["rate of writing, share of dd's", against(each("ratio", 100), 70, 0, " %")],
        ["written in, s", spread(each("write_s"))],
        ["dd, s", spread(each("dd_s"))],
        ["a copy of the same state in memory, s", spread(each("copy_s"))],
        *stall,
        ["peak memory of the writing process over the state", spread([one["peak_bytes"] / one["state_bytes"] for one in rounds])]])


def products_lines(data):
    rounds = data["results"]
    lines = ["## Chains and libraries", "", "CPU milliseconds of a step, one rank, median; and how many times faster chains are than each library, median and",
             f"range of {len(rounds)} rounds (`run.products`, `run.blas`; shards as the batch size gives them).", ""]

    def row(what):
        ways = {way: [one[what][way] for one in rounds] for way in rounds[0][what]}
        return [what] + [f"{statistics.median(ways[way]):.3f}" for way in ways] + \
            [spread([other / chains for other, chains in zip(ways[way], ways["chains"])]) for way in ways if way != "chains"]

    return lines + table(["model", *rounds[0][next(iter(rounds[0]))], "chains / oneDNN", "chains / OpenBLAS"], [row(what) for what in rounds[0]])


NARROW_BARS = {"32": {"JAX": 2}, "256": {"JAX": 2.2, "ours np 1": 1.6}}


def narrow_lines(data):
    rounds = data["results"]
    lines = ["## A narrow network", "", f"13-64-64-1 in regression with SGD, 16,384 rows in memory; {len(rounds['32'])} rounds. Ours np 2 over the others, median and range of ratios within a",
             "round; then samples/s.", ""]

    def ratio(batch, other):
        return against([one["ours np 2"]["samples_per_s"] / one[other]["samples_per_s"] for one in rounds[batch]], NARROW_BARS[batch].get(other))

    rows = [["over " + NAMES[other], *(ratio(batch, other) for batch in rounds)] for other in ("JAX", "ours np 1")]
    rows += [[name, *(speed([one[name]["samples_per_s"] for one in rounds[batch]]) for batch in rounds)] for name in ("ours np 2", "ours np 1", "JAX")]
    return lines + table(["", *(f"batch {batch}" for batch in rounds)], rows)


def main():
    lines = ["# Benchmarks", "", "Written by `tests/benchmarks/run.sh`; every number in [benchmarks.json](benchmarks.json). Machines are shared and noisy:",
             "read the medians of ratios first.", ""]
    parts = {"peers": peers_lines, "variants": variants_lines, "scaling": scaling_lines, "products": products_lines, "narrow": narrow_lines,
             "checkpoint": checkpoint_lines}
    found = {name: load(name) for name in parts}
    for name, make in parts.items():
        if found[name] is None:
            continue
        if name != "peers" and (found["peers"] is None or found[name]["machine"]["commit"] != found["peers"]["machine"]["commit"]):
            lines += ["Measured separately:", "", *head_lines(found[name]["machine"]), ""]
        lines += make(found[name])
    lines += ["## How it is measured", "",
              "* In turn, round after round, on the same cores; each process reads the data into memory first. Start-up, compilation, reading",
              "  and checkpoints are outside the clock; so is one warm-up epoch of each process. Then whole epochs count.",
              "* Ours and Keras report accuracy and loss as a user would have it; JAX and PyTorch do not compute the accuracy.",
              "* JAX and Keras use all cores through XLA; PyTorch DDP has one thread a rank. \"Cores in use\" is measured: CPU seconds of all threads",
              "  of the process over wall seconds.",
              "* At batch 32 an epoch of the peers is 24,000 rows (750 steps), of DDP 8,000: theirs are the longest by far.",
              "* Shares of the GEMM rate: a step's matrix products alone (`tests/benchmarks/gemm_shapes.cpp`), at exactly the step's shapes, on one core,",
              "  measured right after the run of the same round; over the time of the whole step. 100 % would be a step of nothing else.", ""]
    with open("docs/benchmarks.md", "w") as file:
        file.write("\n".join(lines))
    with open("docs/benchmarks.json", "w") as file:
        json.dump({name: data for name, data in found.items() if data}, file, indent=1)
        file.write("\n")
    print("\n".join(lines))


main()
