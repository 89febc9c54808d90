"""Part `checkpoint`: a checkpoint of 92 million parameters with Adam (1.1 GB) against dd with fsync of as many bytes into
the same folder, in turn. Prints the ratio of rates; the bar is 70 %. Writes build/benchmarks/checkpoint.json. Needs 2.5 GB
of disk in FOLDER (default build/benchmarks) and 3 GB of memory, and a machine that does nothing else: dd alone varies by
a factor on a busy one. WIDTHS=784,500,10 in the environment: another model."""
import json
import os
import statistics
import time

from harness import BUILD, FOLDER, ROUNDS, call, save, say

WIDTHS = os.environ.get("WIDTHS", "784,6600,6600,6600,10")
PLACE = os.environ.get("CHECKPOINT_FOLDER", FOLDER)
BAR = 0.7


def removed(path):
    """What lies there is neither written over nor still on its way to the disk when the clock starts."""
    if os.path.exists(path):
        os.remove(path)
    os.sync()
    return path


def dd_seconds(size):
    """dd's sequential rate: blocks of 4 MiB, fsync at the end. The bytes come from memory."""
    path = removed(os.path.join(PLACE, "dd.bytes"))
    blocks = -(-size // (4 << 20))
    start = time.monotonic()
    call(["dd", "if=/dev/zero", f"of={path}", "bs=4M", f"count={blocks}", "conv=fsync", "status=none"])
    seconds = time.monotonic() - start
    removed(path)
    return seconds * size / (blocks * (4 << 20))


def written():
    path = removed(os.path.join(PLACE, "big.h5"))
    result = json.loads(call([BUILD + "/tests/benchmarks/checkpoint_write", path, WIDTHS]))
    removed(path)
    return result


def main():
    os.makedirs(PLACE, exist_ok=True)
    rounds = []
    size = written()["file_bytes"]  # warms both up
    for k in range(ROUNDS):
        before = dd_seconds(size)
        ours = written()
        after = dd_seconds(size)
        ours["dd_s"] = (before + after) / 2
        ours["ratio"] = ours["dd_s"] / ours["write_s"] * ours["file_bytes"] / size
        rounds.append(ours)
        say(f"round {k + 1}: written in {ours['write_s']:.2f} s, dd {before:.2f} and {after:.2f} s, "
            f"rate {100 * ours['ratio']:.0f} % of dd's; copy of the state {ours['copy_s']:.2f} s")
    save("checkpoint", rounds)
    median = statistics.median(one["ratio"] for one in rounds)
    print(f"{rounds[0]['parameters']:,} parameters, {size / 1e9:.2f} GB: {100 * median:.0f} % of dd's rate, bar {100 * BAR:.0f} %: "
          f"{'met' if median >= BAR else 'MISSED'}")


main()
