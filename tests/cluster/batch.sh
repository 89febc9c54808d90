#!/usr/bin/env bash
# launch/supervise.sh, pbs.sh, lsf.sh and sge.sh with stand-ins for the batch system and for the program: what is
# tested is when a job goes on and when it does not. The stand-in program ends each turn as a script of endings says,
# and its checkpoint is a file with a number.
#   tests/cluster/batch.sh
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/work"
cd "$folder/work" || exit 1
export PATH=$folder/bin:$PATH FOLDER=$folder NNTRAIN=$folder/bin/program
failed=0

# program train CONFIG ...: takes the next line of `endings`: CODE [STEPS=1], the steps that the checkpoint goes on.
# wait: until SIGUSR1, then 75. program inspect CHECKPOINT.
cat > "$folder/bin/program" << 'PROGRAM'
#!/bin/bash
if [[ $1 == inspect ]]; then [[ -e $2 ]] && echo "state: step $(< "$2")"; exit; fi
echo "$*" >> calls
read -r code steps < endings
sed -i 1d endings
if [[ $code == wait ]]; then
  trap 'stopped=yes' USR1
  trap 'echo saved >> saves' USR2
  echo "ready" > ready
  until [[ -n ${stopped:-} ]]; do sleep 0.05; done
  code=75
fi
checkpoint=run.h5
for argument; do [[ $argument != --checkpoint.path=* ]] || checkpoint=${argument#*=}; done
[[ ${steps:-1} == 0 ]] || echo $(($(cat "$checkpoint" 2> /dev/null || echo 0) + ${steps:-1})) > "$checkpoint"
exit "${code:-0}"
PROGRAM
# A launcher that starts one rank and shows what it was given.
cat > "$folder/bin/launch" << 'LAUNCH'
#!/bin/bash
options=()
while [[ $1 == -* ]]; do
  [[ $1 != --hostfile ]] || cat "$2" >> hosts_used
  options+=("$1" "$2")
  shift 2
done
echo "${options[*]}" >> launches
exec "$@"
LAUNCH
cat > "$folder/bin/qsub" << 'QSUB'
#!/bin/bash
echo "$* CONFIG=$CONFIG TURN=$TURN" >> submitted
QSUB
# What PBS Professional prints, or the job that a test describes.
cat > "$folder/bin/qstat" << 'QSTAT'
#!/bin/bash
printf 'Job Id: 7\n    Resource_List.mem = 4gb\n    Resource_List.walltime = 02:00:00\n'
grep -qs nodes "$FOLDER/job" ||
  printf '    Resource_List.select = 1:ncpus=2:mpiprocs=2:mem=4gb+\n\t1:ncpus=1:mpiprocs=1\n'
cat "$FOLDER/job" 2> /dev/null
true
QSTAT
cat > "$folder/bin/bsub" << 'BSUB'
#!/bin/bash
echo "$* CONFIG=$CONFIG TURN=$TURN" >> submitted
cat > script
BSUB
cat > "$folder/bin/bjobs" << 'BJOBS'
#!/bin/bash
[[ "$*" == "-noheader -o time_left 7" ]] && cat "$FOLDER/left"
BJOBS
cat > "$folder/bin/agent" << 'AGENT'
#!/bin/bash
[[ $1 != gone ]]
AGENT
chmod +x "$folder"/bin/*

# given ENDING...: a fresh run whose turns end like this.
given() {
  rm -f ./*
  printf '%s\n' "$@" > endings
  printf '[checkpoint]\npath = "run.h5"   # of the run\n' > run.ini
}
supervise() { "$home/launch/supervise.sh" --launcher=launch "$@" > log 2>&1; }
# expect WHAT CODE TURNS: of the command before
expect() {
  local code=$? turns
  turns=$(cat calls 2> /dev/null | wc -l)
  if [[ $code == "$2" && $turns == "$3" ]]; then
    echo "ok      $1"
  else
    echo "FAILED  $1: exit code $code instead of $2, $turns turns instead of $3"
    cat log
    failed=$((failed + 1))
  fi
}
expect_that() {
  local what=$1
  shift
  if "$@"; then echo "ok      $what"; else echo "FAILED  $what"; failed=$((failed + 1)); fi
}

given 0; supervise run.ini; expect "done: one turn" 0 1
for code in 1 2 3 134 139; do
  given $code 0; supervise run.ini; expect "exit code $code: no other turn" $code 1
done
for code in 137 143 205; do
  given $code 0; supervise run.ini; expect "exit code $code: goes on" 0 2
  expect_that "exit code $code: the second turn needs the checkpoint" grep -q 'resume=require' <(sed -n 2p calls)
  expect_that "exit code $code: the first does not" grep -vq 'resume=require' <(sed -n 1p calls)
done
given 75 0; supervise run.ini; expect "stopped early: whoever stopped it decides" 75 1
given '137 0' 0; supervise run.ini; expect "a turn without a checkpoint is the last" 1 1
given 137 '137 0' 0; supervise run.ini; expect "a turn without progress is the last" 1 2
given 137 137 137 137 137; supervise --restarts=2 run.ini; expect "restarts are counted" 75 3
given '75 0'; supervise run.ini; expect "75 without progress ends" 1 1
given 75; supervise --when-stopped='exit 99' run.ini; expect "what to do when stopped" 99 1
given 137; supervise --restarts=0 --when-stopped='exit 99' run.ini; expect "killed, no restart here: the batch system's turn" 99 1
given 2; supervise --when-stopped='exit 99' run.ini; expect "an error is no stop" 2 1
given 0; supervise missing.ini; expect "no configuration" 2 0
given 0; supervise --restart=3 run.ini; expect "an unknown option" 2 0
given 137 0; supervise run.ini --checkpoint.path=other.h5; expect "checkpoint of the command line" 0 2

# Signals: to the run as SIGUSR1; nothing is submitted again after SIGTERM.
for signal in USR1 TERM; do
  given wait
  "$home/launch/supervise.sh" --launcher=launch --when-stopped='exit 99' run.ini > log 2>&1 &
  job=$!
  until [[ -e ready ]]; do sleep 0.05; done
  kill -$signal $job
  wait $job
  case $signal in USR1) expect "SIGUSR1 stops the run" 99 1 ;; TERM) expect "SIGTERM stops it for good" 75 1 ;; esac
done
# SIGUSR2 asks for a checkpoint; batch systems mean other things by it.
for meaning in save stop cancel; do
  given wait
  "$home/launch/supervise.sh" --usr2=$meaning --launcher=launch --when-stopped='exit 99' run.ini > log 2>&1 &
  job=$!
  until [[ -e ready ]]; do sleep 0.05; done
  kill -USR2 $job
  if [[ $meaning == save ]]; then
    until [[ -e saves ]]; do kill -0 $job || break; sleep 0.05; done
    kill -USR1 $job
  fi
  wait $job
  case $meaning in
    save) expect "SIGUSR2 saves and goes on" 99 1 ;;
    stop) expect "--usr2=stop stops" 99 1 ;;
    cancel) expect "--usr2=cancel stops for good" 75 1 ;;
  esac
done
given 0; supervise --usr2=often run.ini; expect "an unknown meaning" 2 0

given 205 0
printf '# hosts\nalive slots=3\ngone slots=4\nother slots = 2\n' > hosts
supervise --hostfile=hosts --agent=agent run.ini
expect "hosts: goes on" 0 2
expect_that "hosts: ranks of those that answer" [ "$(grep -c -- '-np 5' launches)" = 2 ]
expect_that "hosts: the one that is gone is left out" [ "$(grep -c gone hosts_used)" = 0 ]

printf 'node1\nnode1\nnode2\n' > "$folder/nodes"
printf 'node1 2 all.q UNDEFINED\nnode2 1 all.q UNDEFINED\n' > "$folder/pe_hosts"
export PBS_O_WORKDIR=$folder/work PBS_NODEFILE=$folder/nodes PBS_JOBID=7 NNTRAIN_HOME=$home NNTRAIN_LAUNCHER=launch
given 75; CONFIG=run.ini ARGUMENTS='--run.seed=5' "$home/launch/pbs.sh" > log 2>&1; expect "pbs: stopped" 75 1
expect_that "pbs: submitted again, as turn 2" grep -q 'pbs.sh CONFIG=run.ini TURN=2' submitted
expect_that "pbs: with what the job had" grep -q -e '-l select=1:ncpus=2:mpiprocs=2:mem=4gb+1:ncpus=1:mpiprocs=1 -l walltime=02:00:00' submitted
expect_that "pbs: the walltime is the limit" grep -q -e '--run.seed=5 --run.max_time=02:00:00' calls
printf '0\n' > endings; CONFIG=run.ini TURN=2 "$home/launch/pbs.sh" > log 2>&1; expect "pbs: turn 2, done" 0 2
expect_that "pbs: turn 2 needs the checkpoint" grep -q 'resume=require' calls
expect_that "pbs: not submitted again" [ "$(wc -l < submitted)" = 1 ]
given 2; CONFIG=run.ini "$home/launch/pbs.sh" > log 2>&1; expect "pbs: error" 2 1
expect_that "pbs: error, not submitted again" [ ! -e submitted ]
# pbs_limit WHAT EXPECTED: of the job that is described by standard input
pbs_limit() {
  cat > "$folder/job"
  given 0; CONFIG=run.ini "$home/launch/pbs.sh" > log 2>&1; expect "pbs: $1" 0 1
  expect_that "pbs: $1: $2" grep -q -e "--run.max_time=$2" calls
  rm "$folder/job"
}
pbs_limit "half an hour ago" '01:\(30:0\|29:5\)' <<< "    stime = $(LC_ALL=C date -d '30 minutes ago' '+%a %b %e %H:%M:%S %Y')"
pbs_limit "a start that cannot be" '02:00:00' <<< "    stime = $(LC_ALL=C date -d 'tomorrow' '+%a %b %e %H:%M:%S %Y')"
pbs_limit "Torque" '01:01:05' <<< '    Walltime.Remaining = 3665'
given 75; echo '    Resource_List.nodes = 2:ppn=4' > "$folder/job"
CONFIG=run.ini "$home/launch/pbs.sh" > log 2>&1; expect "pbs: Torque stopped" 75 1
expect_that "pbs: Torque, with what the job had" grep -q -e '-l nodes=2:ppn=4 -l mem=4gb -l walltime=02:00:00' submitted
rm "$folder/job"
given 0; CONFIG=run.ini ARGUMENTS='--run.max_time=5' "$home/launch/pbs.sh" > log 2>&1; expect "pbs: a limit of one's own" 0 1
expect_that "pbs: a limit of one's own stays" [ "$(grep -o 'max_time=[^ ]*' calls)" = max_time=5 ]
given 75; PBS_O_QUEUE=long PBS_JOBNAME='my run' CONFIG=run.ini "$home/launch/pbs.sh" > log 2>&1; expect "pbs: queue and name" 75 1
expect_that "pbs: queue and name are kept" grep -q -e '-q long -N my run' submitted

export LS_SUBCWD=$folder/work LSB_JOBID=7 LSB_MCPU_HOSTS='node1 2 node2 1' LSB_QUEUE=long LSB_JOBNAME=nntrain
echo '3:59 L ' > "$folder/left"
given 75; CONFIG=run.ini ARGUMENTS='--run.seed=5' "$home/launch/lsf.sh" > log 2>&1; expect "lsf: stopped" 75 1
expect_that "lsf: submitted again, as turn 2" grep -q -e '-n 3 -q long -J nntrain CONFIG=run.ini TURN=2' submitted
expect_that "lsf: the same script" cmp -s script "$home/launch/lsf.sh"
expect_that "lsf: what is left is the limit" grep -q -e '--run.seed=5 --run.max_time=3:59:00' calls
printf '0\n' > endings; CONFIG=run.ini TURN=2 "$home/launch/lsf.sh" > log 2>&1; expect "lsf: turn 2, done" 0 2
expect_that "lsf: turn 2 needs the checkpoint" grep -q 'resume=require' calls
expect_that "lsf: not submitted again" [ "$(wc -l < submitted)" = 1 ]
for unlimited in '-' '0:0 X' ''; do
  echo "$unlimited" > "$folder/left"
  given 2; CONFIG=run.ini "$home/launch/lsf.sh" > log 2>&1; expect "lsf: \"$unlimited\", an error" 2 1
  expect_that "lsf: \"$unlimited\" is no limit" [ "$(grep -c max_time calls)" = 0 ]
done
given 0
(unset NNTRAIN_LAUNCHER; PATH=$folder/bin:$PATH; ln -sf launch "$folder/bin/mpirun"
  CONFIG=run.ini "$home/launch/lsf.sh") > log 2>&1; expect "lsf: mpirun" 0 1
expect_that "lsf: its slots" grep -q 'node1 slots=2' hosts_used

export SGE_O_WORKDIR=$folder/work PE_HOSTFILE=$folder/pe_hosts NSLOTS=3
given 75; "$home/launch/sge.sh" run.ini > log 2>&1; expect "sge: back into the queue" 99 1
printf '0\n' > endings; RESTARTED=1 "$home/launch/sge.sh" run.ini > log 2>&1; expect "sge: turn 2, done" 0 2
expect_that "sge: turn 2 needs the checkpoint" grep -q 'resume=require' calls
given 2; "$home/launch/sge.sh" run.ini > log 2>&1; expect "sge: error" 2 1

((failed == 0)) && echo "tests/cluster/batch.sh: all passed"
exit $((failed > 0))
