#!/bin/bash
# Trains under LSF, for as many jobs' time as it takes. The same command starts and goes on:
#
#   CONFIG=run.ini [ARGUMENTS="--section.key=value ..."] bsub [-n .. -q ..] < launch/lsf.sh
#
# Submit in the folder that relative paths of the configuration count from. The run stops before the run limit is over,
# with a checkpoint, and this script submits itself again, with as many slots, in the same queue, under the same name;
# other options belong into a copy of it. After an error, a turn without progress, or bkill it does not.
#
#BSUB -J nntrain
#BSUB -n 4
#BSUB -W 4:00
#BSUB -o nntrain-%J.log
#BSUB -r
#BSUB -wa USR1
#BSUB -wt 2

cd "${LS_SUBCWD:?this script is for bsub}" || exit 2
[[ -n ${CONFIG:-} ]] || { echo "usage: CONFIG=run.ini bsub < launch/lsf.sh" >&2; exit 2; }
nntrain=${NNTRAIN_HOME:-$LS_SUBCWD}  # where nntrain-dist was built
if [[ ! -x $nntrain/launch/supervise.sh ]]; then
  echo "lsf.sh: there is no launch/supervise.sh in $nntrain; submit in the source tree, or set NNTRAIN_HOME to it" >&2
  exit 2
fi
export OMP_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-10}

# "node1 2 node2 1". Debian's Open MPI is built without LSF and reads it as a host file; blaunch is LSF's ssh.
hosts=$(mktemp)
ranks=0
read -r -a slots <<< "$LSB_MCPU_HOSTS"
for ((i = 0; i < ${#slots[@]}; i += 2)); do
  echo "${slots[i]} slots=${slots[i + 1]}" >> "$hosts"
  ranks=$((ranks + slots[i + 1]))
done
! command -v blaunch > /dev/null || export OMPI_MCA_plm_rsh_agent=${OMPI_MCA_plm_rsh_agent:-blaunch}
launcher=${NNTRAIN_LAUNCHER:-mpirun -np $ranks --hostfile $hosts --bind-to core}

# Hours and minutes that are left of the run limit: "3:59 L".
limit=()
left=$(bjobs -noheader -o time_left "$LSB_JOBID" 2> /dev/null | sed -n 's/^ *\([0-9]*:[0-9]*\) *L.*/\1/p')
[[ ! $left =~ [1-9] || ${ARGUMENTS:-} == *--run.max_time=* ]] || limit=(--run.max_time="$left:00")

turn=${TURN:-1}
read -r -a arguments <<< "${ARGUMENTS:-}"
export CONFIG ARGUMENTS=${ARGUMENTS:-} TURN=$((turn + 1)) NNTRAIN_HOME=$nntrain
again=$(printf ' %q' -n "$ranks" ${LSB_QUEUE:+-q "$LSB_QUEUE"} ${LSB_JOBNAME:+-J "$LSB_JOBNAME"})
# LSF says with SIGUSR2 that the run limit is over.
exec "$nntrain/launch/supervise.sh" --launcher="$launcher" --restarts=0 --turn="$turn" --usr2=stop \
  --when-stopped="bsub$again < '$nntrain/launch/lsf.sh' || exit 75" "$CONFIG" "${arguments[@]}" "${limit[@]}"
