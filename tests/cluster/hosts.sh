#!/usr/bin/env bash
# Several hosts on this machine: each a network namespace with a host name of its own, whose ranks share no memory with
# another's, joined by a bridge. Open MPI starts its daemons through a launch agent, as it would by ssh.
#   tests/cluster/hosts.sh PROGRAM
# Needs root and iproute2, and the right to make namespaces: where it has not, it fails and says so.
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
program=$(readlink -f "${1:?usage: hosts.sh PROGRAM}")
prefix=nc$$
name=$(basename "$program" | cut -c1-15)  # of its processes
bridge=${prefix}b
network=10.78.$(($$ % 250))  # another one for each test that runs at the same time
folder=$(mktemp -d)
failed=0
clean() {
  local i
  for i in 1 2; do
    ip netns pids "$prefix-$i" 2> /dev/null | xargs -r kill -KILL 2> /dev/null
    ip netns del "$prefix-$i" 2> /dev/null
    ip link del "${prefix}v$i" 2> /dev/null
  done
  ip link del "$bridge" 2> /dev/null
  rm -rf "$folder"
}
trap clean EXIT
refuse() {
  echo "tests/cluster/hosts.sh: $1" >&2
  exit 1
}
command -v ip > /dev/null || refuse "ip is missing; apt-get install iproute2"
ip link add "$bridge" type bridge 2> /dev/null || refuse "network namespaces are not permitted here; run it as root, outside of a container or with --privileged"
ip addr add $network.254/24 dev "$bridge"
ip link set "$bridge" up
for i in 1 2; do
  ip netns add "$prefix-$i" || refuse "ip netns add is not permitted here"
  ip link add "${prefix}v$i" type veth peer name eth0 netns "$prefix-$i"
  ip link set "${prefix}v$i" master "$bridge" up
  ip -n "$prefix-$i" addr add "$network.$i/24" dev eth0
  ip -n "$prefix-$i" link set lo up
  ip -n "$prefix-$i" link set eth0 up
done
# /private is another folder on every host: a disk of the host's own.
mkdir -p "$folder/work" "$folder/private"
for i in 1 2; do mkdir "$folder/disk-$prefix-$i"; done
cat > "$folder/agent" << AGENT
#!/bin/sh
host=\$1
shift
exec ip netns exec "\$host" unshare --uts --mount sh -c "hostname \$host; mount --bind $folder/disk-\$host $folder/private; \$*"
AGENT
chmod +x "$folder/agent"
cd "$folder/work" || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_plm_rsh_agent=$folder/agent OMPI_MCA_btl_tcp_if_include=$network.0/24 OMPI_MCA_oob_tcp_if_include=$network.0/24
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
printf '%s-1 slots=2\n%s-2 slots=2\n' "$prefix" "$prefix" > hosts
on_hosts() { mpirun --hostfile hosts --bind-to none -np 4 "$@"; }
passes() {
  local what=$1
  shift
  if "$@"; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    failed=$((failed + 1))
    tail -n 30 log
  fi
}
digest() { "$program" inspect "$1" | sed -n 's/^weights_digest: //p'; }
same_bits() { [[ -n $(digest straight.h5) && $(digest "$1") == $(digest straight.h5) ]]; }
cat > run.ini << 'INI'
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = :3000
scale = 1/255
[model]
layer = Flatten()
layer = Dense(64, activation="relu")
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.001)
[fit]
epochs = 3
[run]
seed = 5
shards = 8
INI
"$program" train run.ini --checkpoint.path=straight.h5 > log 2>&1 || { cat log; exit 1; }

on_hosts "$program" train run.ini --checkpoint.path=hosts.h5 > log 2>&1
passes "2 hosts x 2 ranks: done" [ $? -eq 0 ]
passes "2 hosts x 2 ranks: two nodes" grep -q '4 ranks on 2 nodes' log
passes "2 hosts x 2 ranks: the bits of one rank" same_bits hosts.h5

# Data that only the first host has.
cp /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz "$folder/disk-$prefix-1/images.gz"
on_hosts "$program" train run.ini --data.inputs="$folder/private/images.gz" --checkpoint.path=private.h5 > log 2>&1
passes "data on one host only: exit code 2" [ $? -eq 2 ]
passes "data on one host only: the message names the host" grep -q "on $prefix-2.*images.gz\|$prefix-2\] .*images.gz" log
passes "data on one host only: nothing written" [ ! -e private.h5 ]

# A checkpoint on a disk of the first host alone, looked for by another.
on_hosts "$program" train run.ini --checkpoint.path=none.h5 --checkpoint.resume=require > log 2>&1
passes "resume=require without a checkpoint: exit code 2" [ $? -eq 2 ]

# A rank of the second host stops: the first names it.
on_hosts "$program" train run.ini --checkpoint.path=stalled.h5 --fit.epochs=100000 --run.stall_timeout=0:05 > log 2>&1 &
job=$!
until grep -q 'Epoch 2' log || ! kill -0 $job 2> /dev/null; do sleep 0.1; done
kill -STOP "$(ip netns pids "$prefix-2" | while read -r p; do [[ $(cat /proc/$p/comm) == "$name" ]] && echo "$p"; done | head -n 1)"
wait $job
passes "a stopped rank of another host: non-zero" [ $? -ne 0 ]
passes "a stopped rank of another host: named with its host" grep -q "no sign of life from rank [23] on $prefix-2" log

# supervise.sh goes on without a host that is gone.
cat > answers << 'ANSWERS'
#!/bin/sh
[ ! -e "gone-$1" ]
ANSWERS
chmod +x answers
NNTRAIN=$program "$home/launch/supervise.sh" --launcher='mpirun --bind-to none' --hostfile=hosts --agent=./answers run.ini \
  --checkpoint.path=supervised.h5 --checkpoint.every_steps=20 --fit.epochs=30 > log 2>&1 &
job=$!
until grep -q 'Epoch 3' log || ! kill -0 $job 2> /dev/null; do sleep 0.1; done
touch "gone-$prefix-2"
ip netns pids "$prefix-2" | while read -r p; do [[ $(cat /proc/$p/comm) != "$name" ]] || kill -KILL "$p"; done
wait $job
passes "supervise.sh: done without the host that is gone" [ $? -eq 0 ]
passes "supervise.sh: the second turn has 2 ranks" grep -q '2 ranks on 1 node' log
"$program" train run.ini --checkpoint.path=straight.h5 --fit.epochs=30 > log2 2>&1
passes "supervise.sh: the bits of one rank" same_bits supervised.h5

((failed == 0)) && echo "tests/cluster/hosts.sh: all passed"
exit $((failed > 0))
