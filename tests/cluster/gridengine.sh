#!/usr/bin/env bash
# launch/sge.sh under a real Grid Engine on this machine.
#   tests/cluster/gridengine.sh PROGRAM [PART...]         parts, all by default: run limit qdel
# Needs root, namespaces (sandbox.sh) and Debian's gridengine-master, gridengine-exec and gridengine-client; touches no
# other Grid Engine, and ends everything that it starts. KEEP=FOLDER copies the logs of jobs and daemons there.
set -u
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/sandbox.sh"
source "$here/jobs.sh"
program=$(readlink -f "${1:?usage: gridengine.sh PROGRAM [PART...]}")
debian=/usr/share/gridengine
for file in /usr/sbin/sge_qmaster /usr/sbin/sge_execd /usr/bin/qsub "$debian/default-bootstrap"; do
  [[ -e $file ]] || {
    echo "${0##*/}: $file is missing; RUNLEVEL=1 apt-get install --no-install-recommends gridengine-master" \
      "gridengine-exec gridengine-client (RUNLEVEL: no daemon starts)" >&2
    exit 1
  }
done
sandbox_host=node1
enter_sandbox "$0" "$@" || exit 1
# Grid Engine wants a host whose name is not that of the loopback.
ip link add eth0 type bridge && ip addr add 192.0.2.1/24 dev eth0 && ip link set eth0 up || exit 1
printf '127.0.0.1 localhost\n192.0.2.1 node1\n' > /etc/hosts
shift
parts=("$@")
((${#parts[@]} > 0)) || parts=(run limit qdel)
folder=$sandbox
failed=0
[[ -z ${KEEP:-} ]] || trap 'cp -r "$folder" "$KEEP"' EXIT

# A cell of our own; the programs are Debian's.
export SGE_ROOT=$folder/gridengine SGE_CELL=default SGE_QMASTER_PORT=6444 SGE_EXECD_PORT=6445
start_gridengine() {
  local common=$SGE_ROOT/default/common spool=$SGE_ROOT/spool tools=/usr/lib/gridengine
  mkdir -p "$common" "$spool"/{qmaster/job_scripts,db,execd}
  cp -a /var/lib/gridengine/{bin,lib,util,utilbin} "$SGE_ROOT"
  sed "s|^\(admin_user *\).*|\1none|; s|/var/spool/gridengine/spooldb|$spool/db|; s|/var/spool/gridengine/qmaster|$spool/qmaster|" \
    "$debian/default-bootstrap" > "$common/bootstrap"
  echo node1 > "$common/act_qmaster"
  # Reports and looks every second; jobs of root, whom this test is.
  sed "s|^\(execd_spool_dir *\).*|\1$spool/execd|; s|^\(min_[ug]id *\).*|\10|; s|^\(load_report_time *\).*|\100:00:01|
    s|^\(mailer *\).*|\1/bin/true|; s|flush_time=[0-9:]*|flush_time=00:00:01|" "$debian/default-configuration" > "$folder/configuration"
  {
    "$tools/spoolinit" berkeleydb libspoolb "$spool/db" init &&
      "$tools/spooldefaults" configuration "$folder/configuration" &&
      "$tools/spooldefaults" complexes "$debian/util/resources/centry" &&
      "$tools/spooldefaults" usersets "$debian/util/resources/usersets" &&
      "$tools/spooldefaults" managers root
  } > "$folder/init.out" 2>&1 || { cat "$folder/init.out" >&2; return 1; }
  SGE_ND=1 /usr/sbin/sge_qmaster > "$folder/qmaster.out" 2>&1 &
  until_true 60 "sge_qmaster" qconf -sss || { cat "$folder/qmaster.out" "$spool"/qmaster/messages >&2; return 1; }
  configure_gridengine > "$folder/qconf.out" 2>&1 || { cat "$folder/qconf.out" >&2; return 1; }
  SGE_ND=1 /usr/sbin/sge_execd > "$folder/execd.out" 2>&1 &
  until_true 60 "a queue that takes jobs" queue_is_up || { cat "$folder"/*.out "$spool"/*/messages >&2; qstat -f >&2; return 1; }
}
queue_is_up() { qstat -f | grep -q '^all.q@node1 .* lx-amd64 *$'; }
configure_gridengine() {
  local none=(load_scaling complex_values user_lists xuser_lists projects xprojects usage_scaling report_variables)
  qconf -ah node1
  qconf -as node1
  { echo "hostname node1"; printf '%s NONE\n' "${none[@]}"; } > "$folder/host.conf"
  qconf -Ae "$folder/host.conf" || return 1
  cat > "$folder/pe.conf" << 'PE'
pe_name            orte
slots              64
user_lists         NONE
xuser_lists        NONE
start_proc_args    NONE
stop_proc_args     NONE
allocation_rule    $fill_up
control_slaves     TRUE
job_is_first_task  FALSE
urgency_slots      min
accounting_summary FALSE
qsort_args         NONE
PE
  qconf -Ap "$folder/pe.conf" || return 1
  {
    cat << 'QUEUE'
qname              all.q
hostlist           node1
seq_no             0
load_thresholds    NONE
suspend_thresholds NONE
nsuspend           1
suspend_interval   00:05:00
priority           0
min_cpu_interval   00:05:00
processors         UNDEFINED
qtype              BATCH INTERACTIVE
ckpt_list          NONE
pe_list            orte
rerun              FALSE
slots              4
shell              /bin/csh
shell_start_mode   posix_compliant
notify             00:00:20
initial_state      default
QUEUE
    echo "tmpdir $TMPDIR"
    printf '%s NONE\n' prolog epilog starter_method suspend_method resume_method terminate_method owner_list user_lists \
      xuser_lists subordinate_list complex_values projects xprojects calendar
    for limit in rt cpu fsize data stack core rss vmem; do printf 's_%s INFINITY\nh_%s INFINITY\n' $limit $limit; done
  } > "$folder/queue.conf"
  qconf -Aq "$folder/queue.conf" || return 1
  qconf -ssconf | sed 's/^\(schedule_interval *\).*/\10:0:1/; s/^\(flush_[a-z]*_sec *\).*/\11/' > "$folder/scheduler.conf"
  qconf -Msconf "$folder/scheduler.conf"
}

start_gridengine || exit 1
job_environment
mkdir "$folder/work"
cd "$folder/work" || exit 1
submit() { qsub -terse -V -pe orte 2 "$@"; }  # the options of qsub, the script, its arguments
batch=$here/../../launch/sge.sh
show_jobs() { qstat -f; qstat -j '*'; tail -n 5 "$SGE_ROOT"/spool/*/messages "$SGE_ROOT"/spool/execd/*/messages; } 2> /dev/null
# How the last turn of a job ended, as the accounting has it.
exit_status() { qacct -j "$1" 2> /dev/null | sed -n 's/^exit_status *\([0-9]*\).*/\1/p' | tail -n 1; }
is_over() { ! qstat -j "$1" > /dev/null 2>&1 && [[ -n $(exit_status "$1") && $(exit_status "$1") != 99 ]]; }
has_completed() { [[ $(exit_status "$1") == 0 ]]; }
turns() { grep -c '^\(Going on from\|No checkpoint at\)' "$1"; }
configuration 40 > run.ini

part_run() {
  local job
  job=$(env -u NNTRAIN_LAUNCHER qsub -terse -V -pe orte 2 -o run.log "$batch" run.ini)  # the mpirun of the script
  ends_straight run "$job"
  passes "run: two ranks" has run.log '2 ranks on 1 node'
  job=$(submit -o bad.log "$batch" run.ini --compile.loss=mse)
  passes "error: over" until_true 120 "job $job" is_over "$job"
  passes "error: failed with 2" [ "$(exit_status "$job")" = 2 ]
  passes "error: one turn" [ "$(grep -c 'exit code 2: an error' bad.log)" = 1 ]
}

# Grid Engine's soft limit sends SIGUSR1: a checkpoint, exit code 99, and the job is back in the queue.
part_limit() {
  local job
  configuration $for_ever > limit.ini
  job=$(submit -l s_rt=0:0:20,h_rt=0:10:0 -o limit.log "$batch" limit.ini --checkpoint.path=limit.h5)
  passes "limit: trains" await_training limit.log 1
  passes "limit: stops" until_true 120 "a stop" has limit.log 'Stopped early (SIGUSR1'
  give_an_end limit
  ends_straight limit "$job"
  passes "limit: went on" [ "$(turns limit.log)" -ge 2 ]
  passes "limit: the second turn needs the checkpoint" has limit.log 'checkpoint.resume = require'
  passes "limit: no step is lost" loses_nothing limit.log
}

# SIGUSR2 comes first (-notify): the run stops with a checkpoint, and the job does not come back.
part_qdel() {
  local job
  configuration $for_ever > qdel.ini
  job=$(submit -o qdel.log "$batch" qdel.ini --checkpoint.path=qdel.h5 --checkpoint.every_epochs=1000000)
  passes "qdel: trains" await_training qdel.log 1
  qdel "$job" > /dev/null
  passes "qdel: over" until_true 120 "job $job" is_over "$job"
  passes "qdel: nothing left running" until_true 60 "no process" no_rank
  passes "qdel: a checkpoint to go on from" [ -n "$(digest qdel.h5)" ]
  passes "qdel: it stopped in order" has qdel.log '^Stopped early'
  passes "qdel: not again" [ "$(turns qdel.log)" = 1 ]
}

run_parts "${parts[@]}"
((failed == 0)) && echo "tests/cluster/gridengine.sh: all passed"
exit $((failed > 0))
