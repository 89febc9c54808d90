#!/usr/bin/env bash
# One rank fails, in each way and at each phase: the job must be gone soon, with a non-zero exit code, one message, no
# process and nothing in /dev/shm.
#   tests/fault/rank_failures.sh PROGRAM [RANKS=4]
# WAYS="KILL SEGV TERMINATE STOP" PHASES="start step checkpoint evaluation" choose. A stopped rank ends the job after
# run.stall_timeout, here 5 s; the others at once. Prints a table; exit code 0 when all were as they must be.
set -u
program=$(readlink -f "${1:?usage: rank_failures.sh PROGRAM [RANKS]}")
ranks=${2:-4}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated OMPI_MCA_mpi_yield_when_idle=1
folder=$(mktemp -d)
job=''
clean() {
  [[ -z $job ]] || kill -KILL "$job" 2> /dev/null
  rm -rf "$folder" "${shm:-$folder}"
}
trap clean EXIT
cd "$folder" || exit 1
cat > run.ini << 'INI'
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = :2000
validation_rows = 2000:3000
scale = 1/255
[model]
layer = Flatten()
layer = Dense(64, activation="relu")
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = SGD(learning_rate=0.01)
[fit]
epochs = 100000
[run]
shards = 8
stall_timeout = 0:05
INI
# What makes a phase likely to be hit: there is nearly nothing else to hit.
options_of() {
  case $1 in
    checkpoint) echo --checkpoint.every_steps=1 ;;
    evaluation) echo --fit.steps_per_epoch=1 --fit.validation_batch_size=8 ;;
  esac
}
# A folder of our own, so that other programs' files are not counted.
shm=$(mktemp -d /dev/shm/nntrain-failures.XXXXXX)
export OMPI_MCA_btl_vader_backing_directory=$shm OMPI_MCA_osc_sm_backing_directory=$shm

failed=0
printf '%-10s %-11s %5s %5s %8s  %s\n' way phase rank code seconds verdict
for way in ${WAYS:-KILL SEGV ABRT STOP}; do
  for phase in ${PHASES:-start step checkpoint evaluation}; do
    # MPI_Init itself waits inside MPI, where nobody looks at the clock.
    [[ $way/$phase != STOP/start ]] || continue
    for victim in 0 1; do
      rm -f ./run.h5* .run.h5*
      touch run.ini
      : > log
      # shellcheck disable=SC2046
      mpirun --bind-to none -np "$ranks" "$program" train run.ini $(options_of "$phase") > log 2>&1 &
      job=$!
      until [[ $(pgrep -c -P $job) -ge $ranks ]] || ! kill -0 $job 2> /dev/null; do sleep 0.01; done
      if [[ $phase != start ]]; then
        until grep -q 'Epoch 2' log || ! kill -0 $job 2> /dev/null; do sleep 0.05; done
      fi
      mapfile -t processes < <(pgrep -P $job)
      start=$EPOCHREALTIME
      kill -"$way" "${processes[$victim]}" 2> /dev/null
      wait $job 2> /dev/null
      code=$?
      job=''
      seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
      verdict=ok
      limit=5
      [[ $way != STOP ]] || limit=12
      [[ $code -ne 0 ]] || verdict='exit code 0'
      awk -v s="$seconds" -v l=$limit 'BEGIN { exit !(s > l) }' && verdict="later than $limit s"
      sleep 1
      for process in "${processes[@]}"; do
        # A zombie is gone; whoever inherited it has not looked yet.
        ! grep -qs '^State:[[:space:]]*[RSDTtI]' "/proc/$process/status" || verdict="process $process is left"
      done
      [[ -z $(ls -A "$shm") ]] || verdict="left in /dev/shm: $(cd "$shm" && du -sh . | cut -f1) in $(ls -A "$shm" | wc -l) files"
      rm -rf "${shm:?}"/*
      [[ $way != STOP ]] || [[ $phase == start ]] || grep -q 'no sign of life from rank' log || verdict='nobody is named'
      printf '%-10s %-11s %5s %5s %8s  %s\n' "$way" "$phase" "$victim" "$code" "$seconds" "$verdict"
      [[ $verdict == ok ]] || { failed=$((failed + 1)); tail -n 15 log; }
    done
  done
done
((failed == 0)) && echo "tests/fault/rank_failures.sh: all as they must be"
exit $((failed > 0))
