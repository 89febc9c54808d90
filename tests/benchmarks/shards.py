"""Part `shards`: what automatic shards (run.shards left out) cost against the fewest that feed the ranks, in turn.
Writes build/benchmarks/shards.json."""
from harness import BATCHES, ROUNDS, ours, save, say

EPOCHS = {32: 1, 256: 1, 2048: 2}


def main():
    rounds = []
    for number in range(ROUNDS):
        result = {}
        for batch in BATCHES:
            for ranks in (1, 2):
                def speed(*options):
                    return ours(ranks, batch, EPOCHS[batch], *options)["samples_per_s"]
                before, fewest, after = speed(), speed(f"--run.shards={ranks}"), speed()
                result[f"batch {batch}, np {ranks}"] = {"auto": (before + after) / 2, "fewest": fewest}
        rounds.append(result)
        say(f"round {number + 1}/{ROUNDS}: " + "; ".join(f"{name}: {100 * (one['fewest'] / one['auto'] - 1):.1f} %" for name, one in result.items()))
        save("shards", rounds)


if __name__ == "__main__":
    main()
