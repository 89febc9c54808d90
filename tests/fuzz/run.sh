#!/usr/bin/env bash
# Fuzzes every reader of files and texts from outside: libFuzzer with clang, address and undefined-behaviour
# sanitizers, leaks, 512 MB and 10 s of processor time an input.
#   tests/fuzz/run.sh SECONDS [READER...]      SECONDS for each; without a name all of them
# RUNS=1000000 in the environment: a reader ends after so many executions, all of them since the build was made, or
# after SECONDS. CORE=1: on this core (default: the first that is allowed; in one process threads would only take turns).
# BUILD=FOLDER: where to build (default build/fuzz). PROGRAMS=FOLDER: nothing is built, these are run. Prints a line a
# reader: executions of this run and in all, a second, coverage, findings. A finding's input stays in FOLDER/findings and
# the exit code is 1; what was learned stays in FOLDER/corpus for the next time. A process executes 100,000 inputs, so
# that what libhdf5 loses does not add up; SIGTERM to it ends the reader, and what it did is counted.
set -eu
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [READER...]}
shift
readers=("$@")
((${#readers[@]} > 0)) || readers=(idx gz csv npy hdf5 checkpoint keras_h5 keras_zip json configuration expression)
root=$(readlink -f "$(dirname "$0")/../..")
cd "$root"
source launch/common.sh
build=$(readlink -m "${BUILD:-build/fuzz}")
mkdir -p "$build"
if ! command -v clang++ > /dev/null; then
  echo "Installing clang ..."
  if [[ $EUID -eq 0 ]]; then apt-get install -y -q clang > "$build/apt.log" 2>&1; else sudo apt-get install -y -q clang > "$build/apt.log" 2>&1; fi
fi
# The program that has the reader: reading arrays needs a third of the objects that reading models does.
program_of() {
  case $1 in
    idx | gz | csv | npy | hdf5) echo fuzz_arrays ;;
    checkpoint | keras_h5 | keras_zip | json | configuration | expression) echo fuzz_models ;;
    *)
      echo "no such reader: $1" >&2
      return 2
      ;;
  esac
}
programs=()
for reader in "${readers[@]}"; do programs+=("$(program_of "$reader")"); done
mapfile -t programs < <(printf '%s\n' "${programs[@]}" | sort -u)
if [[ -z ${PROGRAMS:-} && ! -f $build/CMakeCache.txt ]]; then
  generator=(); if command -v ninja > /dev/null; then generator=(-G Ninja); fi
  cmake -S . -B "$build" "${generator[@]}" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Fuzz \
        -DCMAKE_CXX_FLAGS_FUZZ='-O1 -gline-tables-only' -DNNTRAIN_FUZZ=ON ${CMAKE_OPTIONS:-} > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
fi
[[ -n ${PROGRAMS:-} ]] || cmake --build "$build" --target "${programs[@]}" -j"${J:-$(build_jobs)}"
programs_folder=$(readlink -f "${PROGRAMS:-$build/tests/fuzz}")
mkdir -p "$build/findings" "$build/executions"
memory=$(mktemp -d /dev/shm/nntrain-fuzz.XXXXXX)
trap 'rm -rf "$memory"' EXIT
export NNTRAIN_FUZZ_FOLDER=$memory
# libhdf5 leaks a little when it refuses a file.
export LSAN_OPTIONS=suppressions=$root/tests/fuzz/leaks.txt:print_suppressions=0
# It also asks for as much memory as a damaged file says, is refused it, or gives it back without having touched it: for
# its files what is resident counts, for the others each request. More than 2 GB are refused: an eighth of what is asked
# for is touched by the sanitizer itself. Short call stacks and a small quarantine: executions
# are small, and twice as many of them find more than a longer memory of what was freed.
export ASAN_OPTIONS=detect_odr_violation=0:allocator_may_return_null=1:quarantine_size_mb=8:thread_local_quarantine_size_kb=64:malloc_context_size=4:max_allocation_size_mb=2048
export UBSAN_OPTIONS=print_stacktrace=1
core=${CORE:-$(allowed_cpus | head -n 1)}
findings=0
printf '%-14s %12s %12s %7s %9s  %s\n' reader executions 'in all' '1/s' coverage findings
for reader in "${readers[@]}"; do
  mkdir -p "$build/corpus/$reader"
  # Inputs as short as their format allows: an execution takes as long as its input.
  largest=512
  case $reader in
    idx | npy | expression) length=512 ;;
    gz) length=1024 ;;
    csv | configuration) length=1280 ;;
    json) length=3500 ;;
    hdf5) length=8192 largest=1048576 ;;
    checkpoint | keras_h5 | keras_zip) length=24576 largest=1048576 ;;
  esac
  "$root/tests/fuzz/seeds.sh" "$memory/seeds" "$reader" "$length"
  before=$(cat "$build/executions/$reader" 2> /dev/null || echo 0)
  log=$build/$reader.log
  : > "$log"
  code=0 executed=0 begin=$SECONDS end=$((SECONDS + seconds))
  while ((code == 0 && SECONDS < end)); do
    runs=100000
    if [[ -n ${RUNS:-} && $((RUNS - before - executed)) -lt $runs ]]; then runs=$((RUNS - before - executed)); fi
    ((runs > 0)) || break
    # Leaks: the harness looks for them, and the sanitizer when the process ends.
    NNTRAIN_READER=$reader NNTRAIN_FUZZ_LEAKS=$build/findings/$reader-leak- taskset -c "$core" \
      "$programs_folder/$(program_of "$reader")" -max_total_time="$((end - SECONDS))" -runs="$runs" \
      -rss_limit_mb=512 -malloc_limit_mb=$largest -timeout=300 -detect_leaks=0 -entropic=0 -print_final_stats=1 -max_len="$length" \
      -artifact_prefix="$build/findings/$reader-" "$build/corpus/$reader" "$memory/seeds/$reader" > "$log.part" 2>&1 || code=$?
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log.part")
    # After a finding the statistics may be missing: then the last line that counts.
    [[ -n $count ]] || count=$(sed -n 's/^#\([0-9]*\)[[:space:]].*/\1/p' "$log.part" | tail -n 1)
    executed=$((executed + ${count:-0}))
    echo $((before + executed)) > "$build/executions/$reader"
    cat "$log.part" >> "$log"
  done
  rm -f "$log.part"
  rate=$((executed / (SECONDS > begin ? SECONDS - begin : 1)))
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -c6-)
  result=none
  if ((code == 72)); then
    result="none, stopped"
  elif ((code != 0)); then
    result="$(grep -m1 -E 'ERROR|SUMMARY|runtime error|internal message' "$log" || echo "exit code $code"), see $log"
    findings=$((findings + 1))
  fi
  printf '%-14s %12s %12s %7s %9s  %s\n' "$reader" "$executed" "$((before + executed))" "$rate" "${coverage:-?}" "$result"
done
exit $((findings > 0))
