#!/usr/bin/env bash
# Training over a network: 2 and 4 hosts on this machine, each a network namespace with a host name of its own (its
# ranks share no memory with another's), joined by a bridge at 1 Gbit/s in each direction. Ours, and PyTorch DDP over
# gloo on the same hosts. Prints step times beside what the wire and the cores allow; JSON goes to
# build/benchmarks/network.json.
#   tests/benchmarks/network.sh
#   HOSTS="2 4" BATCHES="256 2048" WIRES="float32 bfloat16" RATE=1gbit RANKS_A_HOST=1 PEER=ddp tests/benchmarks/network.sh
# RANKS_A_HOST=2: the ranks of a host make its sums together before they are sent. DDP has one process a host whatever
# that says; PEER= leaves it out. Needs root and iproute2; where namespaces are not permitted it says so and ends with 77.
# Everything that it makes is gone afterwards. PyTorch is taken from build/benchmarks/env, which run.sh makes too.
set -eu
cd "$(dirname "$0")/../.."
program=${PROGRAM:-build/release/nntrain-dist}
[ -x "$program" ] || { echo "build first: launch/quickstart.sh or cmake --build build/release"; exit 1; }
[ -z "${OPENBLAS_CORETYPE:-}" ] || echo "NOTE: OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE is set; unset it for honest numbers"
rate=${RATE:-1gbit}
folder=$PWD/build/benchmarks
mkdir -p "$folder"
prefix=nn$$  # of names of namespaces and interfaces: at most 15 letters
bridge=${prefix}b

skip() {
  echo "SKIPPED: $1"
  exit 77
}
command -v ip > /dev/null && command -v tc > /dev/null || skip "ip and tc are missing; apt-get install iproute2"

clean() {
  local i
  for i in 1 2 3 4; do
    ip netns del "$prefix-$i" 2> /dev/null || true
    ip link del "${prefix}v$i" 2> /dev/null || true
  done
  ip link del "$bridge" 2> /dev/null || true
  rm -f "$folder/agent.sh"
}
trap clean EXIT
ip link add "$bridge" type bridge 2> /dev/null || skip "network namespaces are not permitted here; run it as root, outside of a container or with --privileged"
ip addr add 10.77.77.254/24 dev "$bridge"
ip link set "$bridge" up
for i in 1 2 3 4; do
  host=$prefix-$i
  ip netns add "$host" 2> /dev/null || skip "network namespaces are not permitted here (ip netns add); run it as root, outside of a container or with --privileged"
  ip link add "${prefix}v$i" type veth peer name eth0 netns "$host"
  ip link set "${prefix}v$i" master "$bridge" up
  ip -n "$host" addr add "10.77.77.$i/24" dev eth0
  ip -n "$host" link set lo up
  ip -n "$host" link set eth0 up
  # A full-duplex link: the host's end limits what it sends, the bridge's end what it receives.
  ip netns exec "$host" tc qdisc add dev eth0 root tbf rate "$rate" burst 128kb latency 50ms ||
    skip "tc cannot limit a rate here (kernel module sch_tbf)"
  tc qdisc add dev "${prefix}v$i" root tbf rate "$rate" burst 128kb latency 50ms
done

# Open MPI starts its daemons as it would by ssh: AGENT HOST COMMAND...
cat > "$folder/agent.sh" << 'AGENT'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
AGENT
chmod +x "$folder/agent.sh"

python=python3
if [ -n "${PEER-ddp}" ]; then
  if [ ! -x "$folder/env/bin/python" ]; then
    python3 -m venv "$folder/env"
    "$folder/env/bin/pip" install -q numpy keras jax torch
  fi
  python=$folder/env/bin/python
fi
# shellcheck source=/dev/null
source launch/common.sh
prepare_mpi
unset OMPI_MCA_plm  # prepare_mpi keeps to this machine where there is no ssh; the agent takes its place
export RANKS_A_HOST=${RANKS_A_HOST:-1}
export HOST_PREFIX=$prefix AGENT=$folder/agent.sh RATE=$rate PEER=${PEER-ddp}
export HOSTS=${HOSTS:-2 4} BATCHES=${BATCHES:-256 2048} WIRES=${WIRES:-float32 bfloat16}
"$python" tests/benchmarks/network.py "$program" "$folder/network.json"
