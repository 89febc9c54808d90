#!/bin/bash
# Trains under Grid Engine (SGE, Son of Grid Engine, Univa), for as many turns as it takes. The same command starts and
# goes on:
#
#   qsub [-pe orte 8 -l s_rt=3:55:00,h_rt=4:00:00] launch/sge.sh CONFIG [--section.key=value ...]
#
# Submit in the folder that relative paths of CONFIG count from. At s_rt Grid Engine sends SIGUSR1: the run stops with a
# checkpoint, and exit code 99 puts the job back into the queue; after an error, a turn without progress, or qdel it does
# not go on. qdel sends SIGUSR2 first (-notify), and the run stops with a checkpoint, too.
#
#$ -S /bin/bash
#$ -N nntrain
#$ -cwd
#$ -j y
#$ -r y
#$ -notify
#$ -pe orte 4
#$ -l s_rt=3:55:00,h_rt=4:00:00

[[ $# -gt 0 ]] || { echo "usage: qsub launch/sge.sh CONFIG [--section.key=value ...]" >&2; exit 2; }
nntrain=${NNTRAIN_HOME:-${SGE_O_WORKDIR:?this script is for qsub}}  # where nntrain-dist was built
if [[ ! -x $nntrain/launch/supervise.sh ]]; then
  echo "sge.sh: there is no launch/supervise.sh in $nntrain; submit in the source tree, or qsub -v NNTRAIN_HOME=.." >&2
  exit 2
fi
export OMP_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
export OMPI_MCA_odls_base_sigkill_timeout=${OMPI_MCA_odls_base_sigkill_timeout:-10}
# Columns of PE_HOSTFILE: host, slots, queue, processors.
hosts=$(mktemp)
awk '{ print $1, "slots=" $2 }' "$PE_HOSTFILE" > "$hosts"
launcher=${NNTRAIN_LAUNCHER:-mpirun -np $NSLOTS --hostfile $hosts --bind-to core}

# RESTARTED is 1 after exit code 99 and when Grid Engine moved the job.
exec "$nntrain/launch/supervise.sh" --launcher="$launcher" --restarts=0 --turn=$((${RESTARTED:-0} + 1)) \
  --usr2=cancel --when-stopped='exit 99' "$@"
