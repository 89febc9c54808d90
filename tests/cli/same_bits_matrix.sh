#!/bin/sh
# The first promise over everything: every batch x number of ranks x way of spreading them over nodes gives one
# digest of the weights, with run.shards left out; and so does every resume in the middle of an epoch, from any
# number of ranks to any. Not a default test, which has a sample (tests/cli/same_bits_test.cpp).
#
#   tests/cli/same_bits_matrix.sh PROGRAM [key=value ...]
#
# Further arguments go to the program, e.g. --run.products=blas or --run.wire=bfloat16. BATCHES, RANKS and NODES
# (ranks of a virtual node, 0: all on one) narrow it:  BATCHES="32 256" RANKS="1 2 3" NODES="0 1"; RESUMES (default:
# RANKS) are the ranks that resumes go from and to. All of it is 504 runs, of up to 32 ranks: some 20 minutes on two
# quiet cores.
set -u
[ $# -ge 1 ] || { sed -n '2,11p' "$0"; exit 2; }
program=$(realpath "$1")
shift
batches=${BATCHES:-1 5 32 100 256 2048}
ranks=${RANKS-1 2 3 5 8 13 32}
nodes=${NODES:-0 1 2 3}
resumes=${RESUMES-$ranks}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated OMPI_MCA_mpi_yield_when_idle=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "interrupted: ${same:-0} the same, ${different:-0} different"; exit 130' INT TERM
cd "$folder" || exit 1
# 20 columns and a class of 10, from a generator with 31 bits: the same table everywhere, read in no time.
awk 'BEGIN {
  seed = 12345
  for (row = 0; row < 9400; ++row) {
    line = ""; sum = 0
    for (column = 0; column < 20; ++column) {
      seed = (seed * 16807) % 2147483647
      value = seed / 2147483647 - 0.5
      sum += value * (column % 3)
      line = line sprintf("%.4f,", value)
    }
    printf "%s%d\n", line, (sum > 0 ? sum * 4 : -sum * 3) % 10
  }
}' > table.csv
# Kernels of several chunks of 1024 floats, so that slices are cut inside of them.
cat > run.ini <<INI
[data]
inputs = table.csv
target_columns = 20
validation_rows = :70
[model]
layer = Dense(96, activation="relu", kernel_regularizer=L2(0.001))
layer = BatchNormalization()
layer = Dropout(0.1)
layer = Dense(64, activation="tanh")
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(global_clipnorm=1)
metrics = accuracy
[fit]
epochs = 2
[run]
seed = 3
INI

same=0
different=0
# train RANKS PER_NODE CHECKPOINT [options]
train() {
  n=$1 per_node=$2 path=$3
  shift 3
  [ "$per_node" = 0 ] && unset NNTRAIN_RANKS_PER_NODE || export NNTRAIN_RANKS_PER_NODE="$per_node"
  mpirun --bind-to none -np "$n" "$program" train run.ini --checkpoint.path="$path" "$@" > log 2>&1 && return 0
  echo "FAILED with $?: np $n, $per_node a node, $*"
  head -n 20 log
  return 1
}
# results CHECKPOINT: digest of the weights and the history without its seconds
results() {
  "$program" inspect "$1" > inspected
  sed -n '/^history:/,$p' inspected | sed 's/ *[^ ]*$//' | sha256sum | cut -c1-16
  sed -n 's/^weights_digest: //p' inspected
}
# compare CHECKPOINT WHAT
compare() {
  if [ "$(results "$1")" = "$expected" ]; then
    same=$((same + 1))
  else
    different=$((different + 1))
    echo "DIFFERENT: $2"
  fi
}

for batch in $batches; do
  rows=$((batch * 4 + (batch + 1) / 2)) # the last mini-batch is smaller
  common="--fit.batch_size=$batch --data.rows=100:$((100 + rows))"
  steps=$(((rows + batch - 1) / batch))
  rm -f straight.h5
  # shellcheck disable=SC2086
  train 1 0 straight.h5 $common "$@" || exit 1
  expected=$(results straight.h5)
  for n in $ranks; do
    for per_node in $nodes; do
      rm -f n.h5
      # shellcheck disable=SC2086
      train "$n" "$per_node" n.h5 $common "$@" || exit 1
      compare n.h5 "batch $batch, np $n, $per_node a node"
    done
  done
  # Resumes: a checkpoint of the middle of the second epoch from every number of ranks, taken up by every other.
  turn=0
  for from in $resumes; do
    rm -f whole.h5 cut.h5
    # shellcheck disable=SC2086
    train "$from" "$(echo $nodes | cut -d' ' -f$((turn % $(echo $nodes | wc -w) + 1)))" whole.h5 $common \
      --fit.callback="ModelCheckpoint(\"cut.h5\", save_freq=$((steps + 2)))" "$@" || exit 1
    for to in $resumes; do
      turn=$((turn + 1))
      per_node=$(echo $nodes | cut -d' ' -f$((turn % $(echo $nodes | wc -w) + 1)))
      cp cut.h5 n.h5
      # shellcheck disable=SC2086
      train "$to" "$per_node" n.h5 $common "$@" || exit 1
      compare n.h5 "batch $batch, a resume from np $from at np $to, $per_node a node"
    done
  done
  echo "batch $batch: $(echo "$expected" | tail -1)"
done
echo "$same the same, $different different"
[ "$different" = 0 ]
