#!/bin/bash
# Installs what is missing, builds, and runs every default test:
#   build/release   all tests, warnings are errors
#   build/sanitize  the unit tests once more, under the address and undefined-behaviour sanitizers
# The last line counts them: "N passed, M failed". Exit code 0 when all passed.
#
#   launch/test.sh [--without-cluster]
#
# For root, two of the tests start a real Slurm and several hosts, all in namespaces of their own (tests/cluster).
# --without-cluster leaves them out, where namespaces are not permitted for instance.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
source launch/common.sh

cluster=ON
case "${1:-}" in
  "") [[ $EUID -eq 0 ]] || cluster=OFF ;;
  --without-cluster) cluster=OFF ;;
  *)
    echo "launch/test.sh: \"$1\" is no option of it; --without-cluster leaves out the tests with Slurm and several hosts" >&2
    exit 2
    ;;
esac
left_out() {
  [[ $cluster == ON ]] ||
    echo "NOTE: left out: cluster.slurm and cluster.hosts (Slurm, several hosts)$1"
}
if [[ $EUID -eq 0 ]]; then why=', as --without-cluster says'; else why='; they need root: sudo launch/test.sh'; fi

options=()
[[ $cluster == OFF ]] || options=(--with-cluster)
launch/install.sh "${options[@]}"
prepare_mpi

passed=0
failed=0
# attribute NAME FILE: of the first <testsuite> of CTest's JUnit file
attribute() { sed -n '/<testsuite/,/>/p' "$2" | sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" | head -n 1; }

# run PRESET: its tests, and their count.
run() {
  local results=$PWD/build/$1/tests.xml tests bad part
  rm -f "$results"
  ctest --preset "$1" --parallel "$(build_jobs)" --output-junit "$results" || true
  tests=$(attribute tests "$results")
  bad=0
  for part in failures skipped disabled; do  # a test that did not run has not passed
    bad=$((bad + $(attribute "$part" "$results")))
  done
  if ((tests == 0)); then
    echo "launch/test.sh: build/$1 has no tests; something is wrong with its build" >&2
    exit 1
  fi
  passed=$((passed + tests - bad))
  failed=$((failed + bad))
}

build release all -DNNTRAIN_WERROR=ON -DNNTRAIN_TESTS=ON -DNNTRAIN_CLUSTER_TESTS=$cluster
build sanitize all -DNNTRAIN_TESTS=ON
run release
run sanitize

left_out "$why"
echo "$passed passed, $failed failed"
((failed == 0))
