# shellcheck shell=bash
# The parts of slurm.sh, which sources it.

part_run() {
  local job
  rm -f run.h5*
  mpirun -np 2 --oversubscribe --bind-to none "$program" train run.ini --checkpoint.path=straight.h5 > straight.log 2>&1
  job=$(submit -o run.log "$batch" run.ini)
  passes "run: over" until_true 120 "job $job" is_over "$job"
  passes "run: completed" [ "$(state "$job")" = COMPLETED ]
  passes "run: the straight run's bits" same_bits run.h5 straight.h5
  job=$(submit -o again.log "$batch" run.ini)
  passes "run: submitted again, nothing to do" until_true 120 "job $job" is_over "$job"
  passes "run: submitted again, completed" [ "$(state "$job")" = COMPLETED ]
  job=$(submit -o bad.log "$batch" run.ini --compile.loss=mse)
  passes "error: over" until_true 120 "job $job" is_over "$job"
  passes "error: failed with 2, not requeued" [ "$(state "$job") $(exit_code "$job") $(restarts "$job")" = "FAILED 2 0" ]
}

# What `plan` prints, submitted as it is: with the supervise.sh of the source tree, and where only the program is there.
# It binds ranks to cores, of which this machine must have two.
part_plan() {
  mkdir -p "$folder"/{tree/build/release,bin}
  ln -sfn "$(cd "$here/../../launch" && pwd)" "$folder/tree/launch"
  cp "$program" "$folder/tree/build/release/nntrain-dist"
  cp "$program" "$folder/bin/nntrain-dist"
  plan_by "$folder/tree/build/release/nntrain-dist" plan
  plan_by "$folder/bin/nntrain-dist" installed
}
plan_by() {
  local program=$1 name=$2 job
  configuration $for_ever > "$name.ini"
  "$program" plan "$name.ini" --checkpoint.path="$name.h5" --nodes=1 --ranks-per-node=2 --time=30 > "$name.sbatch" 2> "$name.log"
  passes "$name: prints a script" grep -q '^#SBATCH --ntasks-per-node=2$' "$name.sbatch"
  job=$(sbatch --parsable -o "$name.log" "$name.sbatch")
  passes "$name: trains" await_training "$name.log" 1
  passes "$name: two ranks" has "$name.log" '2 ranks on 1 node'
  passes "$name: the time that is left" has "$name.log" 'run.max_time = \(29\|30\):'
  scancel --batch --signal=USR1 "$job"
  passes "$name: stops and is requeued" until_true 120 "requeue" has_requeued "$job" 1
  give_an_end "$name"
  ends_straight "$name" "$job"
  passes "$name: from the checkpoint" has "$name.log" "Going on from $name.h5"
  passes "$name: the checkpoint is required" has "$name.log" 'checkpoint.resume = require'
  passes "$name: no step is lost" loses_nothing "$name.log"
}

# run.max_time ends the turn.
part_limit() {
  local job
  configuration $for_ever > limit.ini
  job=$(submit -o limit.log "$batch" limit.ini --checkpoint.path=limit.h5 --run.max_time=0:15)
  passes "limit: stops and is requeued" until_true 120 "requeue" has_requeued "$job" 1
  passes "limit: says why" has limit.log 'Stopped early (the time limit)'
  give_an_end limit
  ends_straight limit "$job"
  passes "limit: no step is lost" loses_nothing limit.log
}

# Slurm's own time limit, of a minute, with the script's signal; the script asks Slurm what is left.
part_clock() {
  local job
  configuration $for_ever > clock.ini
  job=$(submit --time=1 --signal=B:USR1@10 -o clock.log "$batch" clock.ini --checkpoint.path=clock.h5)
  passes "clock: stops and is requeued" until_true 150 "requeue" has_requeued "$job" 1
  passes "clock: in time, by the program or the signal" has clock.log 'Stopped early (\(the time limit\|SIGUSR1\))'
  give_an_end clock
  ends_straight clock "$job"
  passes "clock: no step is lost" loses_nothing clock.log
}

part_scancel() {
  local job
  rm -f run.h5*
  configuration $for_ever > scancel.ini
  job=$(submit -o scancel.log "$batch" scancel.ini)
  passes "scancel: trains" await_training scancel.log 1
  scancel "$job"
  passes "scancel: over" until_true 120 "job $job" is_over "$job"
  passes "scancel: canceled, not requeued" [ "$(state "$job")" = CANCELLED ]
  passes "scancel: nothing left running" until_true 60 "no process" no_rank
  passes "scancel: a checkpoint to go on from" [ -n "$(digest run.h5)" ]
}

part_array() {
  local job second
  rm -f run.h5*
  sed 's/^path.*//' run.ini > other.ini
  job=$(sbatch --parsable --array=0-1 --ntasks-per-node=2 -o 'array-%a.log' "$here/../../launch/slurm_array.sbatch" \
    run.ini other.ini --run.seed=6)
  passes "array: over" until_true 240 "array $job" array_is_over "$job"
  passes "array: a checkpoint a task" [ -s run.h5 -a -s other.h5 ]
  passes "array: the same run, the same bits" same_bits run.h5 other.h5
  # Two tasks that name one checkpoint: one of them trains.
  cp run.ini twin.ini
  configuration $for_ever > run.ini
  job=$(submit -o owner.log "$batch" run.ini --checkpoint.path=owned.h5)
  passes "owner: trains" await_training owner.log 1
  second=$(submit -o second.log "$batch" run.ini --checkpoint.path=owned.h5)
  passes "owner: the second ends" until_true 120 "job $second" is_over "$second"
  passes "owner: the second fails with 2, not requeued" [ "$(state "$second") $(exit_code "$second")" = "FAILED 2" ]
  passes "owner: it names the job" has second.log "(job $job)"
  scancel "$job"
  until_true 120 "job $job" is_over "$job"
  mv twin.ini run.ini
}
array_is_over() { [[ -z $(squeue -h -j "$1" -o %T) ]]; }

part_srun() {
  local job
  configuration $for_ever > srun.ini
  job=$(NNTRAIN_LAUNCHER=srun submit -o srun.log "$batch" srun.ini --checkpoint.path=srun.h5)
  passes "srun: trains" await_training srun.log 1
  scancel --batch --signal=USR1 "$job"
  passes "srun: stops and is requeued" until_true 120 "requeue" has_requeued "$job" 1
  give_an_end srun
  ends_straight srun "$job"
  passes "srun: two ranks" has srun.log '2 ranks'
  passes "srun: no step is lost" loses_nothing srun.log
}

part_lonely() {
  srun -n 2 "$program" train run.ini --checkpoint.path=lonely.h5 > lonely.log 2>&1
  passes "srun without PMIx: refused with exit code 2" [ $? -eq 2 ]
  passes "srun without PMIx: the cure" has lonely.log 'srun --mpi=pmix'
  passes "srun without PMIx: no page of Open MPI's" lacks lonely.log 'OMPI was not built'
  passes "srun without PMIx: said once" [ "$(grep -c 'srun --mpi=pmix' lonely.log)" = 1 ]
  passes "srun without PMIx: nothing written" [ ! -e lonely.h5 ]
  srun -n 1 "$program" vocabulary > one.log 2>&1
  passes "srun of one task: runs" [ $? -eq 0 ]
}

# The daemon alone is killed: the job does not notice.
part_slurmd() {
  local job turns
  configuration $for_ever > slurmd.ini
  job=$(submit -o slurmd.job.log "$batch" slurmd.ini --checkpoint.path=slurmd.h5)
  passes "slurmd killed: trains" await_training slurmd.job.log 1
  stop_daemon slurmd
  turns=$(grep -c -- '- loss:' slurmd.job.log)
  passes "slurmd killed: goes on without it" until_true 60 "steps" more_lines slurmd.job.log "$turns"
  start_slurmd "$folder"
  passes "slurmd killed: the job is still there" [ "$(state "$job") $(restarts "$job")" = "RUNNING 0" ]
  scancel --batch --signal=USR1 "$job"
  passes "slurmd killed: stops and is requeued" until_true 120 "requeue" has_requeued "$job" 1
  give_an_end slurmd
  ends_straight slurmd "$job"
}
more_lines() { (($(grep -c -- '- loss:' "$1") > $2)); }

# The node dies with all that ran there. Slurm requeues the job when it takes the node for lost, here at once.
part_node() {
  local job
  configuration $for_ever > node.ini
  job=$(submit -o node.log "$batch" node.ini --checkpoint.path=node.h5 --checkpoint.every_epochs=1)
  passes "node lost: trains" await_training node.log 1
  passes "node lost: has a checkpoint" until_true 60 "a checkpoint" test -s node.h5
  kill_node
  passes "node lost: nothing runs" no_rank
  scontrol update NodeName=node1 State=DOWN Reason=test
  passes "node lost: requeued" until_true 120 "requeue" has_requeued "$job" 1
  give_an_end node
  start_slurmd "$folder" || scontrol update NodeName=node1 State=RESUME
  until_true 60 "node" node_is_up
  ends_straight node "$job"
  passes "node lost: from the checkpoint" has node.log 'Going on from node.h5'
}

# N turns of one run, ended in turn by a time limit, by signals to the script, to one rank and to everybody, and by a rank
# that is killed; then it is given an end.
part_cycles() {
  local cycles=${1:-20} job turn way stops=0
  configuration $for_ever | sed 's/^rows.*/rows = :20000/' > cycles.ini
  job=$(submit -o cycles.log "$batch" cycles.ini --checkpoint.path=cycles.h5 --run.max_time=0:12 --checkpoint.every_steps=300)
  for ((turn = 1; turn <= cycles; ++turn)); do
    way=$((turn % 6))
    if ((way != 0)); then
      await_training cycles.log $turn || break
      sleep "0.$((RANDOM % 10))"  # anywhere in an epoch
    fi
    case $way in
      0) ;;  # the limit ends it
      1) scancel --batch --signal=USR1 "$job" ;;
      2) kill -USR1 "$(one_rank)" ;;
      3) kill -TERM "$(one_rank)" ;;
      4) scancel --full --signal=USR1 "$job" ;;
      5) kill -KILL "$(one_rank)" ;;
    esac
    ((way == 5)) || stops=$((stops + 1))
    until_true 120 "requeue $turn" has_requeued "$job" $turn || break
  done
  passes "cycles: $cycles requeues" [ "$(restarts "$job")" -ge "$cycles" ]
  sed "s/^epochs.*/epochs = $(($(epochs_done cycles.h5) + 2))/" cycles.ini > new.ini && mv new.ini cycles.ini
  ends_straight cycles "$job"
  passes "cycles: every stop was in order" [ "$(grep -c '^Stopped early' cycles.log)" -ge $stops ]
  passes "cycles: no step is lost after a signal or a time limit" loses_nothing cycles.log
  grep -o 'Stopped early ([A-Za-z0-9 ]*)' cycles.log | sort | uniq -c
  echo "        $(grep -c '^Going on from' cycles.log) resumed turns, $(inspected cycles.h5 state)"
}

# What the default tests run: a time limit, a requeue to the end with the straight run's bits, an error, scancel, and srun
# without PMIx.
part_short() {
  part_limit
  local job
  job=$(submit -o bad.log "$batch" run.ini --compile.loss=mse)
  part_lonely
  passes "error: over" until_true 120 "job $job" is_over "$job"
  passes "error: failed with 2, not requeued" [ "$(state "$job") $(exit_code "$job") $(restarts "$job")" = "FAILED 2 0" ]
  part_scancel
}
