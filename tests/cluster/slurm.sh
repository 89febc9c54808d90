#!/usr/bin/env bash
# launch/slurm.sbatch and launch/slurm_array.sbatch under a real Slurm on this machine.
#   tests/cluster/slurm.sh PROGRAM [--short | PART[=N]...]
# Parts, all by default: run limit clock scancel array srun lonely slurmd node cycles=20. --short: the default tests' form.
# Needs root, namespaces (sandbox.sh) and Debian's munge, slurmctld, slurmd and slurm-client; touches no other Slurm, and
# ends everything that it starts. KEEP=FOLDER copies the logs of jobs and daemons there.
set -u
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/sandbox.sh"
source "$here/slurm_service.sh"
program=$(readlink -f "${1:?usage: slurm.sh PROGRAM [--short | PART[=N]...]}")
require_slurm || exit 1
sandbox_host=node1
enter_sandbox "$0" "$@" || exit 1
# Slurm finds no address, not even 127.0.0.1, where there is no interface but the loopback.
ip link add eth0 type bridge && ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up || exit 1
shift
parts=("$@")
((${#parts[@]} > 0)) || parts=(run limit clock scancel array srun lonely slurmd node cycles)
[[ ${parts[0]} != --short ]] || parts=(short)
folder=$sandbox
failed=0
clean() {
  stop_slurm
  [[ -z ${KEEP:-} ]] || cp -r "$folder" "$KEEP"
}
trap clean EXIT
start_slurm "$folder" || exit 1
export NNTRAIN=$program NNTRAIN_HOME=$here/../.. OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_odls_base_sigkill_timeout=2  # the scripts' 10 s are for large checkpoints
export NNTRAIN_LAUNCHER='mpirun -np 2 --oversubscribe --bind-to none'
mkdir "$folder/work"
cd "$folder/work" || exit 1

# passes WHAT COMMAND...; logs of the job are shown where it fails.
passes() {
  local what=$1
  shift
  if "$@"; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    failed=$((failed + 1))
    tail -n 40 ./*.log 2> /dev/null
    scontrol show job 2> /dev/null | grep -E 'JobId|JobState|ExitCode|StartTime|Restarts'
  fi
}
state() { scontrol show job "$1" 2> /dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
is_over() { [[ $(state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
exit_code() { scontrol show job "$1" | sed -n 's/.*ExitCode=\([0-9]*\):.*/\1/p'; }
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
has_requeued() { [[ $(restarts "$1") -ge $2 ]]; }
batch=$here/../../launch/slurm.sbatch
submit() { sbatch --parsable --ntasks-per-node=2 "$@"; }  # the options of sbatch, the script, its arguments
inspected() { "$program" inspect "$1" 2> /dev/null | sed -n "s/^$2: //p"; }
digest() { inspected "$1" weights_digest; }
has() { grep -q -e "$2" "$1"; }
lacks() { ! grep -q -e "$2" "$1"; }
same_bits() { [[ -n $(digest "$2") && $(digest "$1") == "$(digest "$2")" ]]; }

# configuration EPOCHS: `run.ini` as a user writes it. It is read anew at each turn, so that a run may be given an end when
# it has been seen to do what it should: no test depends on how fast the machine is.
for_ever=1000000
configuration() {
  cat << INI
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = :3000
scale = 1/255
[model]
layer = Flatten()
layer = Dense(64, activation="relu")
layer = Dropout(0.2)
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.001)
[fit]
epochs = $1
[checkpoint]
path = run.h5   # as a user writes it
every_epochs = 10
[run]
seed = 5
INI
}
configuration 40 > run.ini
epochs_done() { inspected "$1" state | grep -o 'epoch [0-9]*' | grep -o '[0-9]*'; }
# give_an_end NAME: NAME.ini for ever, whose next turn is the last.
give_an_end() {
  local more=$(($(epochs_done "$1.h5") + 3))
  configuration $more > "$1.ini"
  echo "$more" > "$1.epochs"
}
# ends_straight NAME JOB: the job ends with the bits of one straight run of as many epochs.
ends_straight() {
  passes "$1: over" until_true 300 "job $2" is_over "$2"
  passes "$1: completed" [ "$(state "$2")" = COMPLETED ]
  mpirun -np 2 --oversubscribe --bind-to none "$program" train "$1.ini" --checkpoint.path="$1-straight.h5" > "$1-straight.log" 2>&1
  passes "$1: the straight run's bits" same_bits "$1.h5" "$1-straight.h5"
}
# The steps of turn N (from 1 on) are being done: an epoch has ended since it began.
trains() { awk -v turn="$2" '/^(Going on from|No checkpoint at)/ { ++turns } turns >= turn && /- loss:/ { found = 1 } END { exit !found }' "$1"; }
await_training() { until_true 120 "steps of turn $2 in $1" trains "$1" "$2"; }
# Where a turn stopped, the next goes on: no step is lost or done twice.
loses_nothing() {
  awk '/^Stopped early/ { match($0, /after epoch [0-9]+, step [0-9]+/); stopped = substr($0, RSTART + 6, RLENGTH - 6) }
    /^Going on from/ { match($0, /epoch [0-9]+, step [0-9]+/); at = substr($0, RSTART, RLENGTH)
      if (stopped != "" && at != stopped) { print "stopped after " stopped ", goes on from " at; bad = 1 }
      stopped = "" }
    END { exit bad }' "$1"
}
# ranks_of_job: the processes of the program.
ranks_of_job() { local p; for p in /proc/[0-9]*; do [[ $(readlink "$p/exe") != "$program" ]] || echo "${p#/proc/}"; done; }
one_rank() { ranks_of_job | sort -n | tail -n 1; }

source "$here/slurm_parts.sh"
for part in "${parts[@]}"; do
  started=$SECONDS
  argument=${part#*=}
  [[ $part == *=* ]] || argument=''
  "part_${part%%=*}" $argument
  echo "        ${part%%=*}: $((SECONDS - started)) s"
done
((failed == 0)) && echo "tests/cluster/slurm.sh: all passed"
exit $((failed > 0))
