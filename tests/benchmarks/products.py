"""Part `products`: one rank with chains, oneDNN and OpenBLAS (run.products, run.blas), over batch sizes and over a middling, a
wide and a narrow model. CPU milliseconds a step, from two runs that differ in their number of steps alone, so that neither
start-up nor other processes count. Writes build/benchmarks/products.json."""
import os
import resource

from harness import BATCHES, FOLDER, HERE, PROGRAM, ROUNDS, call, save, say
from variants import LAYERS_WIDE, layers, make_narrow_data

WAYS = {"chains": ["--run.products=chains"], "oneDNN": ["--run.products=blas", "--run.blas=onednn"],
        "OpenBLAS": ["--run.products=blas", "--run.blas=openblas"]}
# Model: configuration, options, rows for a batch size.
ROWS = {"784-500x4-10": lambda batch: 64 * batch if batch < 256 else 8192, "784-4096x3-10": lambda batch: max(batch, 512),
        "13-64-64-1": lambda batch: 16384}


def cpu_seconds(config, epochs, options):
    path = f"{FOLDER}/run.h5"
    if os.path.exists(path):
        os.remove(path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call([PROGRAM, "train", os.path.join(HERE, config), f"--fit.epochs={epochs}", f"--checkpoint.path={path}", *options])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def milliseconds(model, batch, way):
    rows = ROWS[model](batch)
    if model == "13-64-64-1":
        config, options, epochs = "narrow.ini", make_narrow_data(), 8 if batch == 32 else 16
    else:
        config, options, epochs = "fashion_mnist.ini", [f"--data.rows=5000:{5000 + rows}"], 4
        if model == "784-4096x3-10":
            options += layers(LAYERS_WIDE)
    options += [f"--fit.batch_size={batch}", *WAYS[way]]
    first, last = cpu_seconds(config, 1, options), cpu_seconds(config, 1 + epochs, options)
    return 1e3 * (last - first) / (epochs * -(-rows // batch))


def main():
    rounds = []
    for number in range(max(1, ROUNDS)):
        one = {f"{model}, batch {batch}": {way: milliseconds(model, batch, way) for way in WAYS}
               for model in ROWS for batch in BATCHES if model != "784-4096x3-10" or batch <= 256}
        rounds.append(one)
        say(f"round {number + 1}: " + "; ".join(f"{what}: " + ", ".join(f"{way} {ms:.3f}" for way, ms in ways.items())
                                                for what, ways in one.items()))
        save("products", rounds)


if __name__ == "__main__":
    main()
