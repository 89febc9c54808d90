#!/usr/bin/env bash
# Several hosts on this machine (tests/cluster/namespaces.sh).
#   tests/cluster/hosts.sh PROGRAM
# Needs root and iproute2, and the right to make namespaces: where it has not, it fails and says so.
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
program=$(readlink -f "${1:?usage: hosts.sh PROGRAM}")
# shellcheck source=tests/cluster/namespaces.sh
. "$home/tests/cluster/namespaces.sh"
folder=$(mktemp -d)
failed=0
clean() {
  remove_hosts
  rm -rf "$folder"
}
trap clean EXIT
make_hosts "$folder" 4 || exit 1
mkdir "$folder/work"
cd "$folder/work" || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
head -n 2 "$folder/hosts" > hosts
on_hosts() { mpirun --hostfile hosts --bind-to none -np 4 "$@"; }
on_four() { mpirun --hostfile "$folder/hosts" --bind-to none -np 8 "$@"; }
# The ranks of a host.
ranks_on() { pids_of_host "$1" | while read -r p; do [[ $(readlink "/proc/$p/exe") != "$program" ]] || echo "$p"; done; }
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

on_four "$program" train run.ini --checkpoint.path=four.h5 > log 2>&1
passes "4 hosts x 2 ranks: done" [ $? -eq 0 ]
passes "4 hosts x 2 ranks: four nodes" grep -q '8 ranks on 4 nodes' log
passes "4 hosts x 2 ranks: the bits of one rank" same_bits four.h5

# Data that only the first host has.
cp /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz "$folder/disk-$(host_name 1)/images.gz"
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
kill -STOP "$(ranks_on 2 | head -n 1)"
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
ranks_on 2 | xargs -r kill -KILL
wait $job
passes "supervise.sh: done without the host that is gone" [ $? -eq 0 ]
passes "supervise.sh: the second turn has 2 ranks" grep -q '2 ranks on 1 node' log
"$program" train run.ini --checkpoint.path=straight.h5 --fit.epochs=30 > log2 2>&1
passes "supervise.sh: the bits of one rank" same_bits supervised.h5

((failed == 0)) && echo "tests/cluster/hosts.sh: all passed"
exit $((failed > 0))
