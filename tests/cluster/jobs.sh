# shellcheck shell=bash
# What tests of batch systems share, for scripts that source it. They have $program, a working folder, `failed`, and
#   is_over JOB, has_completed JOB, show_jobs     as their batch system tells
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# Of the scripts in launch, when nobody waits for minutes.
job_environment() {
  export NNTRAIN=$program NNTRAIN_HOME=$here/../.. OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
  export OMPI_MCA_odls_base_sigkill_timeout=2  # the scripts' 10 s are for large checkpoints
  export NNTRAIN_LAUNCHER='mpirun -np 2 --oversubscribe --bind-to none'
}

# until_true SECONDS WHAT COMMAND...: tries until it succeeds.
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  while ! "$@" > /dev/null 2>&1; do
    ((SECONDS < end)) || {
      echo "tests/cluster: waited in vain for: $what" >&2
      return 1
    }
    sleep 0.2
  done
}

show_failure() {
  tail -n 40 ./*.log 2> /dev/null
  show_jobs
}
has() { grep -q -e "$2" "$1"; }
lacks() { ! grep -q -e "$2" "$1"; }

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
  passes "$1: completed" has_completed "$2"
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
no_rank() { [[ -z $(ranks_of_job) ]]; }

# run_parts NAME[=ARGUMENT]...: part_NAME ARGUMENT
run_parts() {
  local part started argument
  for part in "$@"; do
    started=$SECONDS
    argument=${part#*=}
    [[ $part == *=* ]] || argument=''
    # shellcheck disable=SC2086
    "part_${part%%=*}" $argument
    echo "        ${part%%=*}: $((SECONDS - started)) s"
  done
}
