# shellcheck shell=bash
# Shared by quickstart.sh and test.sh; sourced in the root of the source tree.

# build PRESET TARGET|all [CMake options]: configures and builds build/PRESET.
build() {
  local preset=$1 target=$2 generator
  shift 2
  # A tree keeps the generator that it was made with.
  generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "build/$preset/CMakeCache.txt" 2> /dev/null || true)
  if [[ -z $generator ]]; then
    if command -v ninja > /dev/null; then generator=Ninja; else generator="Unix Makefiles"; fi
  fi
  mkdir -p "build/$preset"
  local log=build/$preset/configure.log
  cmake --preset "$preset" -G "$generator" "$@" > "$log" 2>&1 || {
    cat "$log" >&2
    echo "CMake found something missing or wrong; the lines above name it." >&2
    return 1
  }
  local targets=()
  [[ $target == all ]] || targets=(--target "$target")
  cmake --build --preset "$preset" --parallel "$(build_jobs)" "${targets[@]}"
}

# The CPUs that this process may run on, one number a line.
allowed_cpus() {
  local list first last
  list=$(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)
  tr ',' '\n' <<< "$list" | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}

# Cores' worth of time that a container may use, rounded up (cgroup v2, then v1); a large number without a limit.
cpu_quota() {
  local quota period
  if [[ -r /sys/fs/cgroup/cpu.max ]]; then
    read -r quota period < /sys/fs/cgroup/cpu.max
  elif [[ -r /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]]; then
    quota=$(< /sys/fs/cgroup/cpu/cpu.cfs_quota_us)
    period=$(< /sys/fs/cgroup/cpu/cpu.cfs_period_us)
  fi
  if [[ ${quota:-max} == max || ${quota:-0} -le 0 ]]; then echo 1000000; else echo $(((quota + period - 1) / period)); fi
}

# Cores (not hardware threads: two of them share one core's arithmetic) among the allowed CPUs.
allowed_cores() {
  local cpu siblings
  for cpu in $(allowed_cpus); do
    siblings=/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list
    if [[ -r $siblings ]]; then cat "$siblings"; else echo "$cpu"; fi
  done | sort -u | wc -l
}

# One compiler a CPU, and at least 1 GB of memory for each.
build_jobs() {
  local jobs limit gigabytes
  jobs=$(allowed_cpus | wc -l)
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  for limit in "$(cpu_quota)" "${gigabytes:-$jobs}"; do
    if ((limit < jobs)); then jobs=$limit; fi
  done
  echo $((jobs > 0 ? jobs : 1))
}

# mpi_setting NAME VALUE: exported, unless the user has set it; remembered in mpi_settings.
mpi_settings=()
mpi_setting() {
  [[ -z ${!1:-} ]] || return 0
  export "$1=$2"
  mpi_settings+=("$1=$2")
}

# Tells Open MPI to run where it would rather not.
prepare_mpi() {
  if [[ $EUID -eq 0 ]]; then
    mpi_setting OMPI_ALLOW_RUN_AS_ROOT 1
    mpi_setting OMPI_ALLOW_RUN_AS_ROOT_CONFIRM 1
  fi
  # Ranks on this machine only: without ssh, mpirun stops although it would not need it.
  if ! command -v ssh > /dev/null && ! command -v rsh > /dev/null; then mpi_setting OMPI_MCA_plm isolated; fi
  # Containers filter system calls; reading another rank's memory directly is then refused message by message.
  if grep -q '^Seccomp:[[:space:]]*2' /proc/self/status; then
    mpi_setting OMPI_MCA_btl_vader_single_copy_mechanism none
  fi
  # Ranks of a node share memory through files in /dev/shm; many containers give it 64 MB, less than a data set needs.
  local room
  room=$(df -k --output=avail /dev/shm 2> /dev/null | tail -n 1)
  if ((${room:-0} < 262144)); then
    mpi_setting OMPI_MCA_osc_sm_backing_directory "${TMPDIR:-/tmp}"
    mpi_setting OMPI_MCA_btl_vader_backing_directory "${TMPDIR:-/tmp}"
  fi
}
