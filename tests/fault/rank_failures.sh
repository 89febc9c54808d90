#!/usr/bin/env bash
# One rank fails, in each way and at each phase: the job must be gone soon, with a non-zero exit code, one message, no
# process and nothing in shared memory.
#   tests/fault/rank_failures.sh PROGRAM [RANKS=4] [--hosts]
# --hosts: on two hosts (network namespaces, root). WAYS="KILL SEGV BUS ABRT EXIT EXCEPTION MEMORY STOP" and
# PHASES="start data step evaluation checkpoint end" and VICTIMS="0 1" (on two hosts "0 2": one of each) choose. A stopped rank ends the job after
# run.stall_timeout, here 5 s; the others at once. Prints a table; exit code 0 when all were as they must be.
#
# Where a job is, is seen from outside: `data` while a rank has the data file open, `checkpoint` while its temporary file
# is there, the others by the log.
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
program=$(readlink -f "${1:?usage: rank_failures.sh PROGRAM [RANKS] [--hosts]}")
ranks=${2:-4}
hosts=${3:-}
if [[ $hosts == --hosts ]]; then
  source "$home/tests/cluster/sandbox.sh"
  enter_sandbox "$0" "$@" || exit 1
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
folder=$(mktemp -d)
# A folder of our own, so that other programs' files are not counted.
shm=$(mktemp -d /dev/shm/nntrain-failures.XXXXXX)
export OMPI_MCA_btl_vader_backing_directory=$shm OMPI_MCA_osc_sm_backing_directory=$shm
job=''
clean() {
  [[ -z $job ]] || kill -KILL "$job" 2> /dev/null
  rm -rf "$folder" "$shm"
}
trap clean EXIT
launch=(mpirun --bind-to none -np "$ranks" -x LD_PRELOAD="$folder/failing_rank.so")
if [[ $hosts == --hosts ]]; then
  source "$home/tests/cluster/namespaces.sh"
  make_hosts "$folder" || exit 1
  launch=(mpirun --hostfile "$folder/hosts" --bind-to none -np "$ranks" -x LD_PRELOAD="$folder/failing_rank.so")
else
  export OMPI_MCA_plm=isolated
fi
c++ -O1 -std=c++17 -shared -fPIC -o "$folder/failing_rank.so" "$home/tests/fault/failing_rank.cpp" || exit 1
images=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
mkdir "$folder/work" && cd "$folder/work" || exit 1
cat > run.ini << INI
[data]
inputs = $images
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
verbose = 2
[run]
shards = 8
stall_timeout = 0:05
INI
# What makes a phase likely to be hit: there is nearly nothing else to hit.
options_of() {
  case $1 in
    checkpoint) echo --checkpoint.every_steps=1 ;;
    evaluation) echo --fit.steps_per_epoch=1 --fit.validation_batch_size=8 ;;
    end) echo --fit.epochs=2 ;;
  esac
}
# The job's ranks, host by host.
processes_of_job() {
  if [[ -n $hosts ]]; then
    for i in 1 2; do pids_of_host node$i; done | while read -r p; do [[ $(readlink "/proc/$p/exe") != "$program" || $(cat "/proc/$p/comm") == nntrain-guard ]] || echo "$p"; done
  else
    pgrep -P "$job"
  fi
}
# failing_rank.cpp has begun there: RTMIN + 1 is caught.
takes_our_signals() {
  local caught
  caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2> /dev/null)
  [[ -n $caught ]] && ((16#$caught >> ($(kill -l RTMIN) + 1 - 1) & 1))
}
# Waits until the job is in the phase; 1: it is gone.
await_phase() {
  local p file
  while kill -0 "$job" 2> /dev/null; do
    case $1 in
      start) takes_our_signals "${processes[$2]}" && return 0 ;;  # in main() or just before
      data) for p in "${processes[@]}"; do for file in "/proc/$p/fd/"*; do [[ $file -ef $images ]] && return 0; done; done ;;
      checkpoint) for file in .run.h5.tmp-*; do [[ -e $file ]] && return 0; done ;;
      step | evaluation) grep -q 'Epoch 2' log && return 0 ;;
      end) [[ $(grep -c val_loss log) -ge 2 ]] && return 0 ;;
    esac
    sleep 0.003
  done
  return 1
}
signal_of() {
  case $1 in
    EXIT) echo RTMIN+1 ;;
    EXCEPTION) echo RTMIN+2 ;;
    MEMORY) echo RTMIN+3 ;;
    *) echo "$1" ;;
  esac
}
# Blocks of text of ours on standard error: one of the ranks or nobody (a signal: Open MPI speaks).
blocks() { grep -c '^\[rank [0-9]* on \|^nntrain-dist: ' error; }

# One rank of each host.
victims=${VICTIMS:-0 $((${#hosts} > 0 ? ranks / 2 : 1))}
failed=0
declare -A count slowest
printf '%-10s %-11s %6s %5s %8s %7s  %s\n' way phase victim code seconds blocks verdict
one_case() {
  local way=$1 phase=$2 victim=$3
  rm -f ./run.h5* .run.h5*
  touch run.ini
  : > log
  : > error
  # shellcheck disable=SC2046
  "${launch[@]}" "$program" train run.ini $(options_of "$phase") > log 2> error &
  job=$!
  processes=()
  until ((${#processes[@]} >= ranks)) || ! kill -0 $job 2> /dev/null; do mapfile -t processes < <(processes_of_job); done
  await_phase "$phase" "$victim" || return 1
  local start=$EPOCHREALTIME
  kill -"$(signal_of "$way")" "${processes[$victim]}" 2> /dev/null || return 1
  wait $job 2> /dev/null
  local code=$? verdict=ok limit=5 seconds
  job=''
  seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
  [[ $code -ne 0 || $phase != end ]] || return 1  # it was over before it could fail
  [[ $way != STOP ]] || limit=10
  [[ $code -ne 0 ]] || verdict='exit code 0'
  awk -v s="$seconds" -v l=$limit 'BEGIN { exit !(s > l) }' && verdict="later than $limit s"
  sleep 1
  for process in "${processes[@]}"; do
    # A zombie is gone; whoever inherited it has not looked yet.
    ! grep -qs '^State:[[:space:]]*[RSDTtI]' "/proc/$process/status" || verdict="process $process is left"
  done
  [[ -z $(ls -A "$shm") ]] || verdict="left in shared memory: $(cd "$shm" && du -sh . | cut -f1) in $(ls -A "$shm" | wc -l) files"
  rm -rf "${shm:?}"/*
  (($(blocks) <= 1)) || verdict="$(blocks) blocks on standard error"
  [[ $way != STOP ]] || grep -q 'no sign of life from rank' error || verdict='nobody is named'
  [[ $way != EXCEPTION ]] || grep -q 'a fault of this test' error || verdict='the cause is not said'
  [[ $way != MEMORY ]] || grep -q 'out of memory' error || verdict='the cause is not said'
  printf '%-10s %-11s %6s %5s %8s %7s  %s\n' "$way" "$phase" "$victim" "$code" "$seconds" "$(blocks)" "$verdict"
  [[ $verdict == ok ]] || { failed=$((failed + 1)); tail -n 15 log error; }
  count[$way]=$((${count[$way]:-0} + 1))
  slowest[$way]=$(awk -v a="${slowest[$way]:-0}" -v b="$seconds" 'BEGIN { print (a > b ? a : b) }')
  return 0
}
for way in ${WAYS:-KILL SEGV BUS ABRT EXIT EXCEPTION MEMORY STOP}; do
  for phase in ${PHASES:-start data step evaluation checkpoint end}; do
    for victim in $victims; do
      for _ in 1 2 3 4 5; do
        one_case "$way" "$phase" "$victim" && break
        [[ -z $job ]] || { kill -KILL "$job"; wait "$job"; job=''; } 2> /dev/null
      done || { echo "$way $phase $victim: the phase was never met"; failed=$((failed + 1)); }
    done
  done
done
for way in "${!count[@]}"; do echo "$way: ${count[$way]} cases, the slowest ${slowest[$way]} s"; done
((failed == 0)) && echo "tests/fault/rank_failures.sh: all as they must be"
exit $((failed > 0))
