#!/usr/bin/env bash
# launch/slurm.sbatch and launch/slurm_array.sbatch under a real Slurm on this machine.
#   tests/cluster/slurm.sh PROGRAM [PART...]
# Parts, all by default: run limit scancel array srun lonely. Needs root and Debian's munge, slurmctld, slurmd and
# slurm-client; touches no other Slurm, and ends everything that it starts.
set -u
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/slurm_service.sh"
program=$(readlink -f "${1:?usage: slurm.sh PROGRAM [PART...]}")
shift
parts=("$@")
((${#parts[@]} > 0)) || parts=(run limit scancel array srun lonely)
folder=$(mktemp -d /tmp/nntrain-slurm.XXXXXX)
failed=0
clean() {
  stop_slurm
  # KEEP=1 leaves the logs of jobs and daemons for a look.
  if [[ -n ${KEEP:-} ]]; then echo "kept: $folder"; else rm -rf "$folder"; fi
}
trap clean EXIT
start_slurm "$folder" || exit 1
export NNTRAIN=$program NNTRAIN_HOME=$here/../.. OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
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
  fi
}
state() { scontrol show job "$1" 2> /dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
is_over() { [[ $(state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
# Slurm lets a requeued job wait for minutes; the tests wait for what slurmd needs to forget the turn before.
start_now() {
  local start
  start=$(scontrol show job "$1" | sed -n 's/.*StartTime=\([^ ]*\).*/\1/p')
  if [[ $(state "$1") == PENDING ]] && (($(date -d "$start" +%s) > $(date +%s) + 8)); then
    scontrol update JobId="$1" StartTime=now+5
  fi
  is_over "$1"
}
exit_code() { scontrol show job "$1" | sed -n 's/.*ExitCode=\([0-9]*\):.*/\1/p'; }
submit() { sbatch --parsable --ntasks-per-node=2 "$@"; }
digest() { "$program" inspect "$1" | sed -n 's/^weights_digest: //p'; }
has() { grep -q -e "$2" "$1"; }
lacks() { ! grep -q -e "$2" "$1"; }
same_bits() { [[ -n $(digest straight.h5) && $(digest "$1") == $(digest straight.h5) ]]; }
trains() { until_true 60 "steps of $1" has "$1" 'Epoch 2/'; }

cat > run.ini << 'INI'
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
epochs = 40
[checkpoint]
path = run.h5   # as a user writes it
every_epochs = 10
[run]
seed = 5
INI
mpirun -np 2 --oversubscribe --bind-to none "$program" train run.ini --checkpoint.path=straight.h5 > straight.log 2>&1 ||
  { cat straight.log; exit 1; }

part_run() {
  local job
  job=$(submit -o run.log "$here/../../launch/slurm.sbatch" run.ini)
  passes "run: over" until_true 60 "job $job" is_over "$job"
  passes "run: completed" [ "$(state "$job")" = COMPLETED ]
  passes "run: the straight run's bits" same_bits run.h5
  job=$(submit -o again.log "$here/../../launch/slurm.sbatch" run.ini)
  passes "run: submitted again, nothing to do" until_true 60 "job $job" is_over "$job"
  passes "run: submitted again, completed" [ "$(state "$job")" = COMPLETED ]
  job=$(submit -o bad.log "$here/../../launch/slurm.sbatch" run.ini --compile.loss=mse)
  passes "error: over" until_true 60 "job $job" is_over "$job"
  passes "error: failed with 2, not requeued" [ "$(state "$job") $(exit_code "$job")" = "FAILED 2" ]
}

# Turns end in each of the ways in which a batch system ends them, and the result is the straight run's.
part_limit() {
  local job turn
  # run.max_time ends the first turns, Slurm's signal and killed ranks later ones; epochs are slow enough to be hit.
  job=$(submit -o limit.log "$here/../../launch/slurm.sbatch" run.ini --checkpoint.path=limit.h5 --run.max_time=0:03)
  for turn in 1 2 3; do
    passes "limit: turn $turn stops and is requeued" until_true 60 "requeue $turn" has_requeued "$job" "$turn"
    start_now "$job"
    until_true 60 "turn $((turn + 1))" trains_again "$job" "$turn" limit.log
    [[ $turn != 2 ]] || scancel --batch --signal=USR1 "$job"
  done
  passes "limit: over" until_true 200 "job $job" start_now "$job"
  passes "limit: completed" [ "$(state "$job")" = COMPLETED ]
  passes "limit: the log has every turn" [ "$(grep -c 'supervise: turn .* exit code 75' limit.log)" -ge 3 ]
  passes "limit: the straight run's bits" same_bits limit.h5
}
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
has_requeued() { is_over "$1" || [[ $(restarts "$1") -ge $2 ]]; }
# A signal before the script's first lines would end it, as it ends any program.
trains_again() { start_now "$1" || [[ $(grep -c 'Going on from' "$3") -ge $2 ]]; }

part_scancel() {
  local job
  job=$(submit -o scancel.log "$here/../../launch/slurm.sbatch" run.ini --checkpoint.path=scancel.h5 --fit.epochs=4000)
  passes "scancel: trains" trains scancel.log
  scancel "$job"
  passes "scancel: over" until_true 60 "job $job" is_over "$job"
  passes "scancel: canceled, not requeued" [ "$(state "$job")" = CANCELLED ]
  passes "scancel: nothing left running" until_true 30 "no process" no_process scancel.h5
  passes "scancel: a checkpoint to go on from" "$program" inspect scancel.h5
}
no_process() { ! pgrep -f "nntrain-dist train run.ini --checkpoint.path=$1" > /dev/null; }

part_array() {
  local job
  cp run.ini other.ini
  sed -i 's/^path.*//' other.ini
  job=$(sbatch --parsable --array=0-1 --ntasks-per-node=2 -o 'array-%a.log' "$here/../../launch/slurm_array.sbatch" \
    run.ini other.ini --run.seed=6)
  passes "array: over" until_true 120 "array $job" array_is_over "$job"
  passes "array: a checkpoint a task" test -s run.h5 -a -s other.h5
}
array_is_over() { [[ -z $(squeue -h -j "$1" -o %T) ]]; }

part_srun() {
  local job
  job=$(NNTRAIN_LAUNCHER=srun submit -o srun.log "$here/../../launch/slurm.sbatch" run.ini --checkpoint.path=srun.h5)
  passes "srun: trains" trains srun.log
  scancel --batch --signal=USR1 "$job"
  passes "srun: stops and is requeued" until_true 60 "requeue" has_requeued "$job" 1
  passes "srun: over" until_true 100 "job $job" start_now "$job"
  passes "srun: completed" [ "$(state "$job")" = COMPLETED ]
  passes "srun: two ranks" has srun.log '2 ranks'
  passes "srun: the straight run's bits" same_bits srun.h5
}

part_lonely() {
  srun -n 2 "$program" train run.ini --checkpoint.path=lonely.h5 > lonely.log 2>&1
  passes "srun without PMIx: refused with exit code 2" [ $? -eq 2 ]
  passes "srun without PMIx: the cure" has lonely.log 'srun --mpi=pmix'
  passes "srun without PMIx: no page of Open MPI's" lacks lonely.log 'OMPI was not built'
  passes "srun without PMIx: nothing written" [ ! -e lonely.h5 ]
  srun -n 1 "$program" inspect straight.h5 > one.log 2>&1
  passes "srun of one task: runs" [ $? -eq 0 ]
}

for part in "${parts[@]}"; do "part_$part"; done
((failed == 0)) && echo "tests/cluster/slurm.sh: all passed"
exit $((failed > 0))
