"""Part `peers`: ours and what a user would pick instead, in turn; round after round, so that a noisy machine is noisy
for all. Each process measures whole epochs after one to warm up. Writes build/benchmarks/peers.json."""
from harness import BATCHES, CORES, ROUNDS, gemm, ours, peer, save, say

# Measured epochs, and rows of an epoch at batch 32, where peers need the longest: 750 steps, and 250 of DDP's.
EPOCHS = {32: 1, 256: 1, 2048: 2}
ROWS, ROWS_DDP = ["--rows", 24000], ["--rows", 8000]


def round_of(batch):
    epochs = EPOCHS[batch]
    rows, rows_ddp = (ROWS, ROWS_DDP) if batch == 32 else ([], [])
    result = {}
    before = ours(2, batch, epochs)
    result["JAX"] = peer("jax_plain.py", batch, epochs, *rows)
    result["Keras"] = peer("keras_fit.py", batch, epochs, *rows)
    result["DDP"] = peer("torch_ddp.py", batch, 1, "--ranks", 2, *rows_ddp)
    result["PyTorch"] = peer("torch_ddp.py", batch, epochs, "--ranks", 1, "--threads", CORES, *rows)
    after = ours(2, batch, epochs)
    # Ours at both ends of the round: the mean stands in the middle of it.
    result["ours np 2"] = {**after, "samples_per_s": (before["samples_per_s"] + after["samples_per_s"]) / 2}
    result["ours np 1"] = ours(1, batch, epochs)
    result["GEMM"] = gemm(batch, result["ours np 1"]["shards"])
    return result


def main():
    rounds = {str(batch): [] for batch in BATCHES}
    for number in range(ROUNDS):
        for batch in BATCHES:
            result = round_of(batch)
            rounds[str(batch)].append(result)
            say(f"round {number + 1}/{ROUNDS}, batch {batch}: " + ", ".join(
                f"{name} {one['samples_per_s']:.0f}" for name, one in result.items() if "samples_per_s" in one))
            save("peers", rounds)


main()
