#!/usr/bin/env bash
# Several hosts on this machine (namespaces.sh): the bits of one rank, data and checkpoints on one host only, a stopped
# rank, a cut cable, a lost host, a wrong network.
#   tests/cluster/hosts.sh PROGRAM          PARTS="bits stream private stalls lost cable wrong" in the environment chooses
# Needs root, iproute2 and namespaces (sandbox.sh): where they are not permitted, it fails and says so.
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
program=$(readlink -f "${1:?usage: hosts.sh PROGRAM}")
source "$home/tests/cluster/checks.sh"
source "$home/tests/cluster/sandbox.sh"
source "$home/tests/cluster/namespaces.sh"
enter_sandbox "$0" "$@" || exit 1
folder=$sandbox
failed=0
make_hosts "$folder" 4 || exit 1
mkdir "$folder/work"
cd "$folder/work" || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
head -n 2 "$folder/hosts" > hosts
on_hosts() { mpirun --hostfile hosts --bind-to none -np 4 "$@"; }
begin_on_hosts() {  # a job that signals reach
  rm -f log
  mpirun --hostfile hosts --bind-to none -np 4 "$@" > log 2>&1 &
  job=$!
}
on_four() { mpirun --hostfile "$folder/hosts" --bind-to none -np 8 "$@"; }
# The ranks of a host.
ranks_on() { pids_of_host "$1" | while read -r p; do [[ $(readlink "/proc/$p/exe") != "$program" ]] || echo "$p"; done; }
show_failure() { tail -n 30 log; }
# trains JOB WORDS: the log of the job has the words; the job has ended otherwise.
trains() { until grep -qs "$2" log || ! kill -0 "$1" 2> /dev/null; do sleep 0.1; done; }
nothing_left() { [[ -z $(ranks_on node1)$(ranks_on node2) && -z $(ls /dev/shm) ]]; }
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

part_bits() {
  on_hosts "$program" train run.ini --checkpoint.path=hosts.h5 > log 2>&1
  passes "2 hosts x 2 ranks: done" [ $? -eq 0 ]
  passes "2 hosts x 2 ranks: two nodes" grep -q '4 ranks on 2 nodes' log
  passes "2 hosts x 2 ranks: the bits of one rank" same_bits hosts.h5 straight.h5
  on_four "$program" train run.ini --checkpoint.path=four.h5 > log 2>&1
  passes "4 hosts x 2 ranks: done" [ $? -eq 0 ]
  passes "4 hosts x 2 ranks: four nodes" grep -q '8 ranks on 4 nodes' log
  passes "4 hosts x 2 ranks: the bits of one rank" same_bits four.h5 straight.h5
}

# Inputs that are read from disk while they are used, by all hosts together where they see the same files.
part_stream() {
  local blocks=(--fit.shuffle='blocks(window=4)' --data.block_rows=128)
  "$program" train run.ini "${blocks[@]}" --checkpoint.path=resident.h5 > log 2>&1 || { cat log; exit 1; }
  on_hosts "$program" train run.ini "${blocks[@]}" --data.memory=stream --checkpoint.path=together.h5 > log 2>&1
  passes "read from disk by 2 hosts: done" [ $? -eq 0 ]
  passes "read from disk by 2 hosts: together" grep -q 'each block is read by one of them' log
  passes "read from disk by 2 hosts: the bits of resident data" same_bits together.h5 resident.h5
  for host in node1 node2; do
    cp /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz "$folder/disk-$host/copies.gz"
  done
  on_hosts "$program" train run.ini "${blocks[@]}" --data.memory=stream --data.inputs="$folder/private/copies.gz" \
    --checkpoint.path=copies.h5 > log 2>&1
  passes "copies on 2 hosts: done" [ $? -eq 0 ]
  passes "copies on 2 hosts: each reads its own" grep -q 'reads its own copies' log
  passes "copies on 2 hosts: the bits of resident data" same_bits copies.h5 resident.h5
}

# What only the first host has.
part_private() {
  cp /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz "$folder/disk-node1/images.gz"
  on_hosts "$program" train run.ini --data.inputs="$folder/private/images.gz" --checkpoint.path=private.h5 > log 2>&1
  passes "data on one host only: exit code 2" [ $? -eq 2 ]
  passes "data on one host only: the message names the host" grep -q 'on node2.*images.gz\|node2\] .*images.gz' log
  passes "data on one host only: nothing written" [ ! -e private.h5 ]
  on_hosts "$program" train run.ini --checkpoint.path=none.h5 --checkpoint.resume=require > log 2>&1
  passes "resume=require without a checkpoint: exit code 2" [ $? -eq 2 ]
  # Two runs on one checkpoint, from two hosts.
  begin_on_hosts "$program" train run.ini --checkpoint.path=owned.h5 --fit.epochs=100000
  trains $job 'Epoch 2'
  "$folder/agent" node3 "cd $PWD && $program train run.ini --checkpoint.path=owned.h5" > second.log 2>&1
  passes "a second run, from another host: exit code 2" [ $? -eq 2 ]
  passes "a second run, from another host: names the first" grep -q 'process [0-9]* on node1.*cannot be told from node3' second.log
  kill -USR1 $job
  wait $job
  passes "a signal to mpirun stops two hosts in order" [ $? -eq 75 ]
}

part_stalls() {
  # A rank of the second host stops: the first names it.
  begin_on_hosts "$program" train run.ini --checkpoint.path=stalled.h5 --fit.epochs=100000 --run.stall_timeout=0:10
  trains $job 'Epoch 2'
  kill -STOP "$(ranks_on node2 | head -n 1)"
  wait $job
  passes "a stopped rank of another host: non-zero" [ $? -ne 0 ]
  passes "a stopped rank of another host: named with its host" grep -q 'no sign of life from rank [23] on node2' log
  passes "a stopped rank of another host: nothing left" nothing_left
  # The cable of the second host is cut. mpirun itself does not notice, but its ranks do.
  rm -f log
  "$folder/agent" node1 "cd $PWD && exec mpirun --hostfile hosts --bind-to none -np 4 $program train run.ini \
    --checkpoint.path=stalled.h5 --fit.epochs=100000 --run.stall_timeout=0:10" > log 2>&1 &
  job=$!
  trains $job 'Epoch 2'
  ip link set cable2 down
  wait $job
  passes "a cut cable: non-zero" [ $? -ne 0 ]
  passes "a cut cable: names ranks and host" grep -q 'no sign of life from rank 2 on node2, rank 3 on node2' log
  local started=$SECONDS
  until [[ -z $(ranks_on node1)$(ranks_on node2) ]] || ((SECONDS - started > 8)); do sleep 0.1; done
  passes "a cut cable: no rank is left, on neither side" [ -z "$(ranks_on node1)$(ranks_on node2)" ]
  passes "a cut cable: no shared memory is left beside mpirun" [ -z "$(ls /dev/shm | grep node1)" ]
  ip link set cable2 up
}

# answering HOST: `answers` stands for ssh, which reaches the host until gone-HOST is there.
answering() {
  rm -f "gone-$1"
  printf '#!/bin/sh\n[ ! -e "gone-$1" ]\n' > answers
  chmod +x answers
}
long_bits() {
  [[ -e long.h5 ]] || "$program" train run.ini --checkpoint.path=long.h5 --fit.epochs=30 > log2 2>&1
  same_bits "$1" long.h5
}

# loses_node2 HOW CHECKPOINT COMMAND...: supervise.sh goes on without the host that COMMAND has taken away.
loses_node2() {
  local how=$1 checkpoint=$2
  shift 2
  answering node2
  rm -f log
  NNTRAIN=$program "$home/launch/supervise.sh" --launcher='mpirun --bind-to none' --hostfile=hosts --agent=./answers run.ini \
    --checkpoint.path="$checkpoint" --checkpoint.every_steps=20 --fit.epochs=30 > log 2>&1 &
  local job=$!
  trains $job 'Epoch 3'
  touch gone-node2
  "$@"
  wait $job
  passes "supervise.sh, $how: done" [ $? -eq 0 ]
  passes "supervise.sh, $how: the second turn has 2 ranks" grep -q '2 ranks on 1 node' log
  passes "supervise.sh, $how: the bits of one rank" long_bits "$checkpoint"
}
kill_node2() { ranks_on node2 | xargs -r kill -KILL; }
part_lost() { loses_node2 'a lost host' supervised.h5 kill_node2; }
# mpirun notices, on a host without ranks too.
part_cable() {
  loses_node2 'a cut cable' cut.h5 ip link set cable2 down
  ip link set cable2 up
}

# ends_in_time WHAT NAMES COMMAND...: a run that cannot speak ends, and its message has NAMES.
ends_in_time() {
  local what=$1 names=$2 started=$SECONDS code
  shift 2
  "$@" > log 2>&1
  code=$?
  # Daemons of other hosts take a moment.
  until nothing_left || ((SECONDS - started > 30)); do sleep 0.1; done
  passes "$what: non-zero, $code" [ $code -ne 0 ]
  passes "$what: names $names" grep -q "$names" log
  passes "$what: $((SECONDS - started)) s" [ $((SECONDS - started)) -le 18 ]
  passes "$what: one block" [ "$(grep -c '^\[rank [0-9]* on\|^nntrain-dist: ' log)" = 1 ]
  passes "$what: nothing left" nothing_left
}
# The network that is named joins no hosts.
part_wrong() {
  local i other run=(on_hosts "$program" train run.ini --checkpoint.path=wrong.h5 --run.stall_timeout=0:10)
  for i in 1 2; do
    other=$((3 - i))
    ip link add "dead$i" type veth peer name eth1 netns "node$i" && ip link set "dead$i" up
    ip -n "node$i" link set eth1 up
    ip -n "node$i" addr add "10.99.0.$i/24" dev eth1
    echo "10.99.0.$i node$i" >> /etc/hosts
  done
  # Nobody knows the other's address: the system says after three seconds that there is no way.
  OMPI_MCA_btl_tcp_if_include=10.99.0.0/24 ends_in_time "no way to the other host" 'hosts of the job: head,node.1:1-2.' "${run[@]}"
  # Whatever is sent is lost without a word.
  for i in 1 2; do
    ip -n "node$i" neigh replace "10.99.0.$((3 - i))" lladdr 02:00:00:00:00:01 nud permanent dev eth1
  done
  OMPI_MCA_btl_tcp_if_include=10.99.0.0/24 ends_in_time "lost without a word" 'no answer to messages to node[12] (10.99.0.[12])' "${run[@]}"
  # Docker's bridge has the same address everywhere.
  for i in 1 2; do ip -n "node$i" addr flush dev eth1; ip -n "node$i" addr add 172.17.0.1/16 dev eth1; done
  OMPI_MCA_btl_tcp_if_include=172.17.0.0/16 ends_in_time "one address for all" 'hosts of the job: head,node.1:1-2.' "${run[@]}"
  # Here mpirun runs beside rank 0, and is whom it asks for the hosts.
  OMPI_MCA_btl_tcp_if_include=192.168.77.0/24 ends_in_time "a network that nobody has" 'hosts of the job: node.1:1-2.' \
    "$folder/agent" node1 "cd $PWD && exec mpirun --hostfile hosts --bind-to none -np 4 $program train run.ini --checkpoint.path=wrong.h5 --run.stall_timeout=0:10"
}

for part in ${PARTS:-bits stream private stalls lost cable wrong}; do
  started=$SECONDS
  "part_$part"
  echo "        $part: $((SECONDS - started)) s"
done
((failed == 0)) && echo "tests/cluster/hosts.sh: all passed"
exit $((failed > 0))
