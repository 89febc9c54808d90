# shellcheck shell=bash
# A Slurm of one's own on this machine, for tests: munge, slurmctld and slurmd from Debian's packages, everything they
# write in one folder. Sourced by slurm.sh, after jobs.sh.
#   start_slurm FOLDER    SLURM_CONF is exported; commands such as sbatch then talk to it
#   stop_slurmd, start_slurmd FOLDER, kill_node JOB, stop_slurm

declare -A slurm_pids=()

# A port that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); do  # below the ports that the kernel gives to clients
    (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null || break
  done
  echo "$port"
}

require_slurm() {
  local command missing=()
  PATH=$PATH:/usr/sbin
  for command in munged slurmctld slurmd sbatch; do
    command -v "$command" > /dev/null || missing+=("$command")
  done
  if ((${#missing[@]} > 0)); then
    echo "tests/cluster: missing: ${missing[*]}; apt-get install --no-install-recommends munge slurmctld slurmd slurm-client" >&2
    return 1
  fi
  [[ $EUID -eq 0 ]] || {
    echo "tests/cluster: slurmd starts jobs as their users, which root alone may do; run this as root" >&2
    return 1
  }
}

start_munge() {
  local munge=$1/munge
  mkdir -p "$munge"
  # munged refuses folders that others may write to, on the whole path.
  chmod 0755 "$1" "$munge"
  head -c 1024 /dev/urandom > "$munge/key"
  chmod 0600 "$munge/key"
  /usr/sbin/munged --force --foreground --key-file="$munge/key" --socket="$munge/socket" --pid-file="$munge/pid" \
    --log-file="$munge/log" --seed-file="$munge/seed" > "$munge/out" 2>&1 &
  slurm_pids[munged]=$!
  until_true 60 "munged" test -S "$munge/socket" || { cat "$munge"/{out,log} >&2; return 1; }
}

# More CPUs than the machine has: what is tested is how jobs live and die, not how fast they are. cred_expire is also how
# long a requeued job waits before it starts again.
write_slurm_conf() {
  local folder=$1
  cat > "$folder/slurm.conf" << CONF
ClusterName=test
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
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
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 CPUs=4 RealMemory=4096 State=UNKNOWN
PartitionName=all Nodes=node1 Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$folder/slurm.conf
}

start_slurmctld() {
  /usr/sbin/slurmctld -D -f "$SLURM_CONF" > "$1/slurmctld.out" 2>&1 &
  slurm_pids[slurmctld]=$!
  until_true 60 "slurmctld" answers_or_is_gone
  scontrol ping > /dev/null 2>&1 && return
  stop_daemon slurmctld
  return 1
}
answers_or_is_gone() { scontrol ping || ! kill -0 "${slurm_pids[slurmctld]}"; }

start_slurm() {
  local folder=$1 attempt
  require_slurm || return 1
  mkdir -p "$folder"/{state,spool}
  start_munge "$folder" || return 1
  for attempt in 1 2 3; do  # a port may be taken between the look and the use
    write_slurm_conf "$folder"
    start_slurmctld "$folder" && start_slurmd "$folder" && return 0
    stop_daemon slurmctld
    echo "tests/cluster: start $attempt of Slurm failed" >&2
  done
  cat "$folder"/slurm*.{out,log} >&2
  return 1
}

start_slurmd() {
  /usr/sbin/slurmd -D -N node1 -f "$SLURM_CONF" > "$1/slurmd.out" 2>&1 &
  slurm_pids[slurmd]=$!
  until_true 60 "a node that takes jobs" node_is_up
}
node_is_up() { [[ $(sinfo -h -o %T) =~ ^(idle|mixed|allocated)$ ]]; }

# What a crash of the node leaves: nothing of the daemon, of the job's keeper and of the job.
kill_node() {
  local process
  for process in /proc/[0-9]*; do
    grep -qsz "^SLURM_CONF=$SLURM_CONF\$" "$process/environ" || continue
    if grep -qsz '^SLURM_JOB_ID=' "$process/environ" || [[ $(cat "$process/comm" 2> /dev/null) == slurm*d ]]; then
      [[ ${process#/proc/} == "${slurm_pids[slurmctld]}" ]] || kill -KILL "${process#/proc/}" 2> /dev/null
    fi
  done
  wait "${slurm_pids[slurmd]}" 2> /dev/null
}

# At once: asked to end in order, slurmctld has been seen to wait for ever.
stop_daemon() {
  [[ -n ${slurm_pids[$1]:-} ]] || return 0
  kill -KILL "${slurm_pids[$1]}" 2> /dev/null
  wait "${slurm_pids[$1]}" 2> /dev/null
  unset "slurm_pids[$1]"
  return 0
}

stop_slurm() {
  local daemon
  [[ -z ${slurm_pids[slurmctld]:-} ]] || timeout 10 scancel --full --signal=KILL --state=RUNNING > /dev/null 2>&1
  for daemon in slurmd slurmctld munged; do stop_daemon "$daemon"; done
}
