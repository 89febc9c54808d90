#!/bin/bash
# Trains, and goes on from the checkpoint when a turn was cut short:
#
#   launch/supervise.sh [options] CONFIG [--section.key=value ...]
#
#   --launcher="mpirun -np 8"   starts the ranks (default: mpirun, with Open MPI's own count of ranks)
#   --hostfile=FILE             Open MPI's; before each turn, hosts that do not answer are left out, and the ranks are
#                               the slots of the others (the bits of the result do not depend on their number)
#   --restarts=K                start again in here at most K times after a crash (default 3)
#   --turn=N                    this is turn N of a job that a batch system starts again (default 1)
#   --agent=COMMAND             reaches a host: COMMAND HOST true (default: ssh without questions, 5 s)
#   --when-stopped=COMMAND      what to do after a turn that stopped early, for instance submit the job again; not when
#                               the job was canceled (SIGTERM, SIGINT). Its exit code, if not 0, is then this script's
#   --usr2=save|stop|cancel     what SIGUSR2 means: write a checkpoint and go on (default), or what batch systems mean by
#                               it: the end of the time (as SIGUSR1), or the end of the job (as SIGTERM)
#   NNTRAIN=PROGRAM             the program (default: nntrain-dist of this source tree, else of PATH)
#
# From the second turn on the checkpoint must be there (checkpoint.resume=require): a disk of another host is not taken
# for a new beginning. A turn that was cut short and made no progress is the last one. SIGUSR1, SIGTERM and SIGINT stop
# the run at its next step with a checkpoint; a second SIGTERM or SIGINT goes to the launcher itself.
#
# Exit code: 0 done; 75 stopped early, the same command goes on; 1, 2, 3 as from the program: going on is no cure.
set -u
# mpirun notices a host that is gone without a word after half a minute, not after eight minutes.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-10}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-5}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-4}
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { echo "supervise: $*" >&2; }
usage() {
  say "$1"
  sed -n '4,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

launcher=mpirun hostfile='' restarts=3 turn=1 when_stopped='' usr2=save
agent='ssh -o BatchMode=yes -o ConnectTimeout=5'
while [[ ${1:-} == --* ]]; do
  case $1 in
    --launcher=*) launcher=${1#*=} ;;
    --hostfile=*) hostfile=${1#*=} ;;
    --restarts=*) restarts=${1#*=} ;;
    --turn=*) turn=${1#*=} ;;
    --agent=*) agent=${1#*=} ;;
    --when-stopped=*) when_stopped=${1#*=} ;;
    --usr2=save | --usr2=stop | --usr2=cancel) usr2=${1#*=} ;;
    *) usage "unknown option $1; options of the program come after CONFIG" ;;
  esac
  shift
done
[[ $# -gt 0 ]] || usage "no configuration given"
[[ $restarts =~ ^[0-9]+$ ]] || usage "--restarts=$restarts is no number"
[[ $turn =~ ^[1-9][0-9]*$ ]] || usage "--turn=$turn is no number from 1 on"
config=$1
[[ -r $config ]] || usage "cannot read the configuration $config in $PWD"
[[ -z $hostfile || -r $hostfile ]] || usage "cannot read the host file $hostfile"

program=${NNTRAIN:-}
if [[ -z $program ]]; then
  program=$here/build/release/nntrain-dist
  [[ -x $program ]] || program=$(command -v nntrain-dist) ||
    usage "there is no nntrain-dist, neither built in $here nor on PATH; build it, or set NNTRAIN=PROGRAM"
fi
command -v "${launcher%% *}" > /dev/null || usage "there is no ${launcher%% *} on this host; load the MPI module, or see --launcher"

# Where the run keeps its checkpoint: the last word on the command line, else the configuration, else its name.
checkpoint=$(basename "$config")
checkpoint=${checkpoint%.*}.h5
in_file=$(awk '{ line = $0; sub(/[ \t]+#.*/, "", line) }
  line ~ /^[ \t]*\[/ { inside = line ~ /^[ \t]*\[checkpoint\]/ }
  inside && line ~ /^[ \t]*path[ \t]*=/ { sub(/^[^=]*=[ \t]*/, "", line); sub(/[ \t\r]+$/, "", line); gsub(/^["'\'']|["'\'']$/, "", line); print line }' "$config" | tail -n 1)
checkpoint=${in_file:-$checkpoint}
for argument in "${@:2}"; do [[ $argument != --checkpoint.path=* ]] || checkpoint=${argument#*=}; done

# How far the run is: changes with every checkpoint that goes on; empty without one.
progress() { "$program" inspect "$checkpoint" 2> /dev/null | grep '^state' || true; }

# The hosts that answer, with their slots, as a host file of its own.
alive=''
trap '[[ -z $alive ]] || rm -f "$alive"' EXIT
find_hosts() {
  local line host lost=() ranks=0 slots
  alive=$(mktemp "${TMPDIR:-/tmp}/nntrain-hosts.XXXXXX")
  while read -r line; do
    line=${line%%#*}
    host=${line%%[[:space:]]*}
    [[ -n $host ]] || continue
    slots=1
    [[ ! $line =~ slots[[:space:]]*=[[:space:]]*([0-9]+) ]] || slots=${BASH_REMATCH[1]}
    # shellcheck disable=SC2086  # the agent is a command with its options
    if [[ $host == localhost || $host == "$(hostname)" ]] || timeout 10 $agent "$host" true < /dev/null > /dev/null 2>&1; then
      echo "$line" >> "$alive"
      ranks=$((ranks + slots))
    else
      lost+=("$host")
    fi
  done < "$hostfile"
  ((${#lost[@]} == 0)) || say "no answer from ${lost[*]}: going on without"
  if ((ranks == 0)); then
    say "no host of $hostfile answers; try by hand: $agent HOST true"
    exit 1
  fi
  placement=(--hostfile "$alive" -np "$ranks")
}

asked='' job='' interrupted=0
forward() {
  interrupted=1
  if [[ -z $asked ]]; then
    # mpirun turns SIGTERM into SIGKILL within seconds; SIGUSR1 reaches the ranks as it is.
    say "SIG$1: asking the run to stop with a checkpoint"
    [[ -z $job ]] || kill -USR1 "$job" 2> /dev/null
  elif [[ $1 != USR1 ]]; then
    [[ -z $job ]] || kill -TERM "$job" 2> /dev/null
  fi
  asked=$1
}
pass_on_usr2() {
  case $usr2 in
    stop) forward USR1 ;;
    cancel) forward TERM ;;
    save)
      interrupted=1
      [[ -z $job ]] || kill -USR2 "$job" 2> /dev/null
      ;;
  esac
}
trap 'forward USR1' USR1
trap pass_on_usr2 USR2
trap 'forward TERM' TERM
trap 'forward INT' INT

code=0
run_turn() {
  local arguments=("$@") now
  ((turn == 1)) || arguments+=(--checkpoint.resume=require)
  # shellcheck disable=SC2086  # the launcher is a command with its options
  $launcher "${placement[@]}" "$program" train "${arguments[@]}" &
  job=$!
  while :; do  # a signal ends `wait` early
    interrupted=0
    wait "$job" 2> /dev/null
    now=$?
    ((now == 127 && code != 0)) || code=$now  # 127: it has told already
    ((interrupted)) || break
  done
  job=''
}

stop_here() {
  if [[ -n $when_stopped && $asked != TERM && $asked != INT ]]; then
    bash -c "$when_stopped" || exit $?
  fi
  exit 75
}

placement=()
first=$turn
while :; do
  [[ -z $hostfile ]] || find_hosts
  before=$(progress)
  code=0
  [[ -z $asked ]] || stop_here
  run_turn "$@"
  [[ -z $alive ]] || rm -f "$alive"
  case $code in
    0) exit 0 ;;
    75) cut='stopped early, with a checkpoint' ;;
    137) cut='a rank or the launcher was killed (SIGKILL: out of memory, or by the system)' ;;
    138) cut='a signal (SIGUSR1) ended it before it could take signals' ;;
    143) cut='a signal (SIGTERM) ended it' ;;
    205) cut='mpirun lost one of its hosts' ;;
    *)
      say "exit code $code: an error that another turn would meet again"
      exit "$code"
      ;;
  esac
  say "turn $turn ended with exit code $code: $cut"
  if [[ $(progress) == "$before" ]]; then
    say "it made no progress (${before:-no checkpoint at $checkpoint}): not going on. Is the time of a turn shorter than" \
      "an epoch? Write checkpoints more often: checkpoint.every_minutes or checkpoint.every_steps"
    exit 1
  fi
  # Asked to stop, or out of time: whoever asked decides when to go on.
  if [[ $code -eq 75 || -n $asked ]]; then stop_here; fi
  if ((turn - first >= restarts)); then
    ((restarts == 0)) || say "$restarts restarts are used up; the same command goes on"
    stop_here
  fi
  turn=$((turn + 1))
done
