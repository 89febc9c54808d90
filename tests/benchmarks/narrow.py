"""Part `narrow`: 13-64-64-1 in regression with SGD, ours at 1 and 2 ranks and plain JAX on both cores, in turn. Ours stand at
both ends of a round. Writes build/benchmarks/narrow.json."""
from harness import FOLDER, ROUNDS, ours, peer, save, say
from variants import make_narrow_data

EPOCHS = {32: 20, 256: 60}


def main():
    data = make_narrow_data()
    arrays = ["--inputs", f"{FOLDER}/narrow_inputs.npy", "--targets", f"{FOLDER}/narrow_targets.npy"]
    rounds = {str(batch): [] for batch in EPOCHS}
    for number in range(ROUNDS):
        for batch, epochs in EPOCHS.items():
            def run(ranks):
                return ours(ranks, batch, epochs, *data, config="narrow.ini")
            before = run(2)
            result = {"JAX": peer("jax_narrow.py", batch, epochs, *arrays), "ours np 1": run(1)}
            after = run(2)
            result["ours np 2"] = {**after, "samples_per_s": (before["samples_per_s"] + after["samples_per_s"]) / 2}
            rounds[str(batch)].append(result)
            two = result["ours np 2"]["samples_per_s"]
            say(f"round {number + 1}/{ROUNDS}, batch {batch}: " + ", ".join(f"{name} {one['samples_per_s']:.0f}" for name, one in result.items()) +
                "; np 2 over " + ", ".join(f"{name} {two / result[name]['samples_per_s']:.2f}" for name in ("JAX", "ours np 1")))
            save("narrow", rounds)


if __name__ == "__main__":
    main()
