#!/bin/bash
# Trains under PBS (PBS Professional, OpenPBS, Torque), for as many jobs' time as it takes. The same command starts and
# goes on:
#
#   qsub -v CONFIG=run.ini[,ARGUMENTS="--section.key=value ..."] launch/pbs.sh
#
# Submit in the folder that relative paths of the configuration count from. The run stops before the walltime is over,
# with a checkpoint, and this script submits itself again; after an error, a turn without progress, or qdel it does not.
#
#PBS -N nntrain
#PBS -l select=1:ncpus=4:mpiprocs=4
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r y

cd "${PBS_O_WORKDIR:?this script is for qsub}" || exit 2
[[ -n ${CONFIG:-} ]] || { echo "usage: qsub -v CONFIG=run.ini launch/pbs.sh" >&2; exit 2; }
nntrain=${NNTRAIN_HOME:-$PBS_O_WORKDIR}  # where nntrain-dist was built
if [[ ! -x $nntrain/launch/supervise.sh ]]; then
  echo "pbs.sh: there is no launch/supervise.sh in $nntrain; submit in the source tree, or qsub -v NNTRAIN_HOME=.." >&2
  exit 2
fi
export OMP_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-10}

# One rank a line of the node file; Debian's Open MPI is built without PBS and reads it like a host file.
ranks=$(wc -l < "$PBS_NODEFILE")
hosts=$(mktemp)
sort "$PBS_NODEFILE" | uniq -c | awk '{ print $2, "slots=" $1 }' > "$hosts"
launcher=${NNTRAIN_LAUNCHER:-mpirun -np $ranks --hostfile $hosts --bind-to core}

# What PBS knows of this job; it breaks long values into lines that begin with a tab.
job=$(qstat -f "$PBS_JOBID" 2> /dev/null |
  awk '/^\t/ { line = line substr($0, 2); next } { print line; line = $0 } END { print line }')
of_job() { sed -n "s/^[[:space:]]*$1 = //p" <<< "$job" | head -n 1; }

# PBS sends SIGTERM at the walltime and SIGKILL soon after: stop by ourselves, a little before. Torque says what is left,
# PBS Professional since when the job runs.
seconds_left() {
  local walltime started left
  left=$(of_job Walltime.Remaining)
  walltime=$(of_job Resource_List.walltime | awk -F: '{ for (i = 1; i <= NF; ++i) seconds = 60 * seconds + $i; print seconds }')
  walltime=${walltime:-${PBS_WALLTIME:-}}
  if [[ ! $left =~ ^[0-9]+$ && $walltime =~ ^[0-9]+$ ]]; then
    left=$walltime
    started=$(of_job stime)
    started=${started:+$(date -d "$started" +%s 2> /dev/null)}
    started=$(($(date +%s) - ${started:-0}))
    ((started < 0 || started >= walltime)) || left=$((walltime - started))  # else another clock, or none
  fi
  echo "$left"
}
limit=()
left=$(seconds_left)
[[ ! $left =~ ^[1-9][0-9]*$ || ${ARGUMENTS:-} == *--run.max_time=* ]] ||
  printf -v 'limit[0]' -- '--run.max_time=%02d:%02d:%02d' $((left / 3600)) $((left % 3600 / 60)) $((left % 60))

# What qsub was told beside this script holds for the next turn's job, too.
again=''
resubmit_with() { [[ -z $2 ]] || again+=$(printf ' %s %q' "$1" "$2"); }
resources=(select place walltime)  # PBS Professional; Torque has no chunks, and the two ways do not mix
[[ -n $(of_job Resource_List.select) ]] || resources=(nodes mem walltime)
for resource in "${resources[@]}"; do
  value=$(of_job "Resource_List.$resource")
  resubmit_with -l "${value:+$resource=$value}"
done
resubmit_with -q "${PBS_O_QUEUE:-}"
resubmit_with -N "${PBS_JOBNAME:-}"
resubmit_with -A "$(of_job Account_Name)"

turn=${TURN:-1}
read -r -a arguments <<< "${ARGUMENTS:-}"
# A new job with the next turn's number (qrerun is an operator's, and starts the same turn again), not from the copy of
# this script that PBS runs, which is gone with the job. Variables go by name: their values may hold commas.
export CONFIG ARGUMENTS=${ARGUMENTS:-} TURN=$((turn + 1)) NNTRAIN_HOME=$nntrain
exec "$nntrain/launch/supervise.sh" --launcher="$launcher" --restarts=0 --turn="$turn" \
  --when-stopped="qsub$again -v CONFIG,ARGUMENTS,TURN,NNTRAIN_HOME '$nntrain/launch/pbs.sh' || exit 75" \
  "$CONFIG" "${arguments[@]}" "${limit[@]}"
