"""Step times over the hosts that network.sh made. Called by it.

compute      step time of the same ranks on one host, where the exchange costs next to nothing
bytes        each host sends, and receives, in a step: 2 (M - 1) / M of the parameters
wire         bytes / rate, without headers (TCP over Ethernet carries 0.957 of the rate at best)
ratio        step / max(compute, wire); the bar is 1.15 with float32
"""
import json
import os
import re
import statistics
import subprocess
import sys

PROGRAM, RESULTS = sys.argv[1], sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX, AGENT = os.environ["HOST_PREFIX"], os.environ["AGENT"]
RANKS_A_HOST = int(os.environ["RANKS_A_HOST"])
PARAMETERS = 784 * 500 + 500 + 3 * (500 * 500 + 500) + 500 * 10 + 10
STEPS = {256: 60, 2048: 26}
EPOCHS = 6
SUBNET = "10.77.77.0/24"
UNITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}


def bits_per_second(rate):
    number, unit = re.fullmatch(r"([\d.]+)(kbit|mbit|gbit)", rate).groups()
    return float(number) * UNITS[unit]


def mpirun(hosts):
    """On one host: as anybody would. On several: by the agent, and over the limited links only."""
    if hosts == 1:
        return ["mpirun", "--mca", "plm", "isolated", "--bind-to", "none", "--oversubscribe"]
    names = ",".join(f"{PREFIX}-{i}:{RANKS_A_HOST}" for i in range(1, hosts + 1))
    return ["mpirun", "--mca", "plm", "rsh", "--mca", "plm_rsh_agent", AGENT, "--mca", "oob_tcp_if_include", SUBNET,
            "--mca", "btl_tcp_if_include", SUBNET, "--mca", "btl", "self,vader,tcp", "--bind-to", "none",
            "--host", names]


def steps_of(batch):
    return STEPS.get(batch, min(60, 55000 // batch))


def ours(hosts, ranks, batch, wire):
    """Milliseconds of a step: the median epoch, without the first."""
    scratch = os.path.join(os.path.dirname(RESULTS), "network.h5")
    if os.path.exists(scratch):
        os.remove(scratch)
    command = mpirun(hosts) + ["-np", str(ranks), PROGRAM, "train", "configs/fashion_mnist.ini", "--data.validation_rows=",
                               f"--fit.batch_size={batch}", f"--fit.epochs={EPOCHS}", f"--fit.steps_per_epoch={steps_of(batch)}",
                               f"--run.wire={wire}", "--run.shards=8", f"--checkpoint.path={scratch}",
                               "--checkpoint.every_epochs=1000", "--fit.verbose=2"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(" ".join(command) + "\n" + done.stdout + done.stderr)
    text = subprocess.run([PROGRAM, "inspect", scratch], capture_output=True, text=True, check=True).stdout
    rows = text[text.index("history:"):].splitlines()
    column = rows[1].split().index("seconds")
    seconds = [float(row.split()[column]) for row in rows[2:2 + EPOCHS]]
    # A pass over the data may end inside an epoch and leave a short one; only whole ones are compared.
    passes = 55000 // batch // steps_of(batch) if batch * steps_of(batch) <= 55000 else 1
    whole = [s for i, s in enumerate(seconds) if i > 0 and i % (passes + 1) != passes or passes == 0]
    return 1e3 * statistics.median(whole or seconds[1:]) / steps_of(batch)


def ddp(hosts, batch):
    """Milliseconds of a step of PyTorch DDP over gloo, one process a host."""
    rows = min(40, 55000 // batch) * batch
    workers = []
    for rank in range(hosts):
        environment = dict(os.environ, GLOO_SOCKET_IFNAME="eth0", OMP_NUM_THREADS="1")
        workers.append(subprocess.Popen(
            ["ip", "netns", "exec", f"{PREFIX}-{rank + 1}", sys.executable, os.path.join(HERE, "peers", "torch_ddp.py"), str(batch), "2",
             f"--rows={rows}", f"--ranks={hosts}", f"--rank={rank}", "--address=10.77.77.1:29517"],
            env=environment, stdout=subprocess.PIPE, text=True))
    text = workers[0].communicate()[0]
    if any(worker.wait() != 0 for worker in workers):
        sys.exit("torch_ddp.py failed")
    return 1e3 * batch / statistics.median(json.loads(text)["samples_per_s"])


def main():
    rate = bits_per_second(os.environ["RATE"])
    results = []
    print(f"{'hosts':>5} {'batch':>6} {'wire':>9} {'compute ms':>11} {'wire ms':>8} {'step ms':>8} {'ratio':>6} {'DDP ms':>7} {'x DDP':>6}")
    for hosts in map(int, os.environ["HOSTS"].split()):
        for batch in map(int, os.environ["BATCHES"].split()):
            peer = ddp(hosts, batch) if os.environ["PEER"] == "ddp" else None
            for wire in os.environ["WIRES"].split():
                ranks = hosts * RANKS_A_HOST
                compute = ours(1, ranks, batch, wire)
                step = ours(hosts, ranks, batch, wire)
                sent = (4 if wire == "float32" else 2) * 2 * PARAMETERS * (hosts - 1) / hosts
                wire_ms = 1e3 * 8 * sent / rate
                ratio = step / max(compute, wire_ms)
                results.append({"hosts": hosts, "ranks": ranks, "batch": batch, "wire": wire, "compute_ms": compute, "bytes_per_host": sent,
                                "wire_ms": wire_ms, "step_ms": step, "ratio": ratio, "ddp_ms": peer,
                                "times_ddp": peer / step if peer else None})
                print(f"{hosts:>5} {batch:>6} {wire:>9} {compute:>11.2f} {wire_ms:>8.2f} {step:>8.2f} {ratio:>6.2f} " +
                      (f"{peer:>7.1f} {peer / step:>6.2f}" if peer else f"{'-':>7} {'-':>6}"), flush=True)
    with open(RESULTS, "w") as file:
        json.dump({"rate_bits_per_second": rate, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
