#!/usr/bin/env bash
# Fuzzes every reader of files and texts from outside: libFuzzer with clang, address and undefined-behaviour
# sanitizers, leaks, 512 MB and 10 s an input.
#   tests/fuzz/run.sh SECONDS [READER...]      SECONDS for each; without a name all of them
# Prints a line a reader: executions, coverage, findings. A finding's input stays in build/fuzz/findings and the exit
# code is 1. What was learned stays in build/fuzz/corpus for the next time.
set -eu
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [READER...]}
shift
readers=("$@")
((${#readers[@]} > 0)) || readers=(idx gz csv npy hdf5 checkpoint keras_h5 keras_zip json configuration expression)
root=$(readlink -f "$(dirname "$0")/../..")
build=$root/build/fuzz
if [[ ! -f $build/build.ninja ]]; then
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Fuzz \
        -DCMAKE_CXX_FLAGS_FUZZ='-O1 -gline-tables-only' -DNNTRAIN_FUZZ=ON ${CMAKE_OPTIONS:-} > "$build.log" 2>&1 || { cat "$build.log"; exit 1; }
fi
cmake --build "$build" --target fuzz_readers ${J:+-j"$J"}
mkdir -p "$build/findings"
memory=$(mktemp -d /dev/shm/nntrain-fuzz.XXXXXX)
trap 'rm -rf "$memory"' EXIT
"$root/tests/fuzz/seeds.sh" "$memory/seeds"
export NNTRAIN_FUZZ_FOLDER=$memory
# Open MPI's and libhdf5's own memory is not ours; libhdf5 leaks a little when it refuses a file.
export LSAN_OPTIONS=suppressions=$root/tests/fuzz/leaks.txt:print_suppressions=0
# It also asks for as much memory as a damaged file says, is refused it, or gives it back without having touched it: for
# its files what is resident counts, for the others each request.
export ASAN_OPTIONS=detect_odr_violation=0:allocator_may_return_null=1:quarantine_size_mb=64 UBSAN_OPTIONS=print_stacktrace=1
findings=0
printf '%-14s %12s %9s  %s\n' reader executions coverage findings
for reader in "${readers[@]}"; do
  mkdir -p "$build/corpus/$reader"
  log=$build/$reader.log
  largest=512
  case $reader in hdf5 | checkpoint | keras_h5 | keras_zip) largest=1048576 ;; esac
  code=0
  NNTRAIN_READER=$reader "$build/tests/fuzz/fuzz_readers" -max_total_time="$seconds" -rss_limit_mb=512 -malloc_limit_mb=$largest -timeout=10 \
    -detect_leaks=1 -print_final_stats=1 -max_len=49152 -artifact_prefix="$build/findings/$reader-" \
    "$build/corpus/$reader" "$memory/seeds/$reader" > "$log" 2>&1 || code=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -c6-)
  result=none
  if ((code != 0)); then
    result="$(grep -m1 -E 'ERROR|SUMMARY|runtime error|internal message' "$log" || echo "exit code $code"), see $log"
    findings=$((findings + 1))
  fi
  printf '%-14s %12s %9s  %s\n' "$reader" "${executions:-?}" "${coverage:-?}" "$result"
done
exit $((findings > 0))
