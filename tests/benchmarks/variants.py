"""Part `variants`: ours with other optimizers, layers and sizes, evaluation, prediction, memory. Writes
build/benchmarks/variants.json: for each variant a list of rounds."""
import re

import numpy as np

from harness import FOLDER, IMAGES, LABELS, ROUNDS, call, gemm, mpirun, ours, peak_bytes, save, say

LAYERS_DROPOUT = ['Flatten()']
for _ in range(4):
    LAYERS_DROPOUT += ['Dense(500)', 'BatchNormalization()', 'Activation("relu")', 'Dropout(0.2)']
LAYERS_DROPOUT += ['Dense(10, activation="softmax")']
LAYERS_WIDE = ['Flatten()'] + ['Dense(4096, activation="relu")'] * 3 + ['Dense(10, activation="softmax")']


def layers(specs):
    return [f"--model.layer={spec}" for spec in specs]


def make_narrow_data():
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((16384, 13), np.float32)
    np.save(f"{FOLDER}/narrow_inputs.npy", inputs)
    np.save(f"{FOLDER}/narrow_targets.npy", np.sin(inputs.sum(1, keepdims=True)).astype(np.float32))
    return [f"--data.inputs={FOLDER}/narrow_inputs.npy", f"--data.targets={FOLDER}/narrow_targets.npy"]


def inference(ranks, command, *options):
    text = call(mpirun(ranks, command, f"{FOLDER}/run.h5", f"--data.inputs={IMAGES}", *options))
    return {"samples_per_s": float(re.search(r"([\d.]+) samples/s", text)[1]), "peak_bytes": peak_bytes(text)}


def round_of():
    narrow = make_narrow_data()
    result = {"wide np 2": ours(2, 256, 1, *layers(LAYERS_WIDE), "--data.rows=5000:9096"),
              "narrow np 1": ours(1, 32, 12, *narrow, config="narrow.ini"),
              "narrow np 2": ours(2, 32, 12, *narrow, config="narrow.ini")}
    base = ours(2, 256, 2)
    result |= {"shards 2": ours(2, 256, 2, "--run.shards=2"), "base": base, "Adam": ours(2, 256, 2, "--compile.optimizer=Adam(0.001)"),
               "BatchNormalization, Dropout": ours(2, 256, 2, *layers(LAYERS_DROPOUT)), "base again": ours(2, 256, 2)}
    for ranks in (1, 2):  # of the model that `base` left in run.h5
        result[f"evaluate np {ranks}"] = inference(ranks, "evaluate", f"--data.targets={LABELS}")
        result[f"predict np {ranks}"] = inference(ranks, "predict", f"--output={FOLDER}/predictions.npy")
    result["GEMM 4096 rows"] = gemm(4096, 64)
    result["GEMM wide"] = gemm(128, 4, "784,4096,4096,4096,10")
    return result


def main():
    rounds = []
    for number in range(max(1, ROUNDS - 1)):
        result = round_of()
        rounds.append(result)
        say(f"round {number + 1}: " + ", ".join(f"{name} {one['samples_per_s']:.0f}" for name, one in result.items()
                                                         if "samples_per_s" in one))
        save("variants", rounds)


if __name__ == "__main__":
    main()
