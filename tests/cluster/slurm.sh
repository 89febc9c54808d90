#!/usr/bin/env bash
# launch/slurm.sbatch and launch/slurm_array.sbatch under a real Slurm on this machine.
#   tests/cluster/slurm.sh PROGRAM [--short | PART[=N]...]
# Parts, all by default: run plan limit clock scancel array srun lonely slurmd node cycles=20. --short: the default tests' form.
# Needs root, namespaces (sandbox.sh) and Debian's munge, slurmctld, slurmd and slurm-client; touches no other Slurm, and
# ends everything that it starts. KEEP=FOLDER copies the logs of jobs and daemons there.
set -u
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/sandbox.sh"
source "$here/jobs.sh"
source "$here/slurm_service.sh"
program=$(readlink -f "${1:?usage: slurm.sh PROGRAM [--short | PART[=N]...]}")
require_slurm || exit 1
sandbox_host=node1
enter_sandbox "$0" "$@" || exit 1
# Slurm finds no address, not even 127.0.0.1, where there is no interface but the loopback.
ip link add eth0 type bridge && ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up || exit 1
shift
parts=("$@")
((${#parts[@]} > 0)) || parts=(run plan limit clock scancel array srun lonely slurmd node cycles)
[[ ${parts[0]} != --short ]] || parts=(short)
folder=$sandbox
failed=0
clean() {
  stop_slurm
  [[ -z ${KEEP:-} ]] || cp -r "$folder" "$KEEP"
}
trap clean EXIT
start_slurm "$folder" || exit 1
job_environment
mkdir "$folder/work"
cd "$folder/work" || exit 1

show_jobs() { scontrol show job 2> /dev/null | grep -E 'JobId|JobState|ExitCode|StartTime|Restarts'; }
state() { scontrol show job "$1" 2> /dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
is_over() { [[ $(state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
has_completed() { [[ $(state "$1") == COMPLETED ]]; }
exit_code() { scontrol show job "$1" | sed -n 's/.*ExitCode=\([0-9]*\):.*/\1/p'; }
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
has_requeued() { [[ $(restarts "$1") -ge $2 ]]; }
batch=$here/../../launch/slurm.sbatch
submit() { sbatch --parsable --ntasks-per-node=2 "$@"; }  # the options of sbatch, the script, its arguments
configuration 40 > run.ini

source "$here/slurm_parts.sh"
run_parts "${parts[@]}"
((failed == 0)) && echo "tests/cluster/slurm.sh: all passed"
exit $((failed > 0))
