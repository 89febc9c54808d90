# shellcheck shell=bash
# A Slurm of one's own on this machine, for tests: munge, slurmctld and slurmd from Debian's packages, everything they
# write in one folder. Sourced by slurm.sh.
#   start_slurm FOLDER    SLURM_CONF is exported; commands such as sbatch then talk to it
#   stop_slurm

slurm_pids=()

# A port that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM)); do
    (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null || break
  done
  echo "$port"
}

# until_true SECONDS WHAT COMMAND...: tries until it succeeds.
until_true() {
  local tries=$(($1 * 5)) what=$2
  shift 2
  while ! "$@" > /dev/null 2>&1; do
    ((tries-- > 0)) || {
      echo "tests/cluster: waited in vain for: $what" >&2
      return 1
    }
    sleep 0.2
  done
}

start_slurm() {
  local folder=$1 command missing=() cpus
  for command in munged slurmctld slurmd sbatch; do
    PATH=$PATH:/usr/sbin command -v "$command" > /dev/null || missing+=("$command")
  done
  if ((${#missing[@]} > 0)); then
    echo "tests/cluster: missing: ${missing[*]}; apt-get install --no-install-recommends munge slurmctld slurmd slurm-client" >&2
    return 1
  fi
  [[ $EUID -eq 0 ]] || {
    echo "tests/cluster: slurmd starts jobs as their users, which root alone may do; run this as root" >&2
    return 1
  }
  mkdir -p "$folder"/{munge,state,spool}
  # munged refuses folders that others may write to, on the whole path.
  chmod 0755 "$folder" "$folder/munge"
  head -c 1024 /dev/urandom > "$folder/munge/key"
  chmod 0600 "$folder/munge/key"
  local munge=$folder/munge
  /usr/sbin/munged --force --foreground --key-file="$munge/key" --socket="$munge/socket" --pid-file="$munge/pid" \
    --log-file="$munge/log" --seed-file="$munge/seed" > "$munge/out" 2>&1 &
  slurm_pids+=($!)
  # More CPUs than the machine has: what is tested is how jobs live and die, not how fast they are.
  cpus=4
  cat > "$folder/slurm.conf" << CONF
ClusterName=test
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$munge/socket
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=5
JobRequeue=1
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=all Nodes=node1 Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$folder/slurm.conf
  until_true 20 "munged" test -S "$munge/socket" || { cat "$munge"/{out,log} >&2; return 1; }
  /usr/sbin/slurmctld -D -f "$SLURM_CONF" > "$folder/slurmctld.out" 2>&1 &
  slurm_pids+=($!)
  until_true 20 "slurmctld" scontrol ping || { cat "$folder"/slurmctld.{out,log} >&2; return 1; }
  start_slurmd "$folder"
}

start_slurmd() {
  /usr/sbin/slurmd -D -N node1 -f "$SLURM_CONF" > "$1/slurmd.out" 2>&1 &
  slurmd_pid=$!
  slurm_pids+=("$slurmd_pid")
  until_true 30 "an idle node" node_is_up || { cat "$1"/slurmd.{out,log} >&2; return 1; }
}

node_is_up() { [[ $(sinfo -h -o %T) =~ ^(idle|mixed|allocated)$ ]]; }

stop_slurm() {
  scancel --full --signal=KILL --state=RUNNING > /dev/null 2>&1 || true
  local pid
  for pid in "${slurm_pids[@]}"; do kill "$pid" 2> /dev/null || true; done
  for pid in "${slurm_pids[@]}"; do wait "$pid" 2> /dev/null || true; done
  slurm_pids=()
}
