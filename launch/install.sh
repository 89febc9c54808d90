#!/bin/bash
# Installs the Debian packages that building, training and testing need, and only those that are missing.
# Nothing missing: needs no rights, no network, and changes nothing.
#
#   launch/install.sh [--to-run | --with-cluster]
#
#   --to-run          not those that only the tests need
#   --with-cluster    those of the tests under Slurm and on several hosts, too
set -euo pipefail

for_tests=yes
for_cluster=no
case "${1:-}" in
  "") ;;
  --to-run) for_tests=no ;;
  --with-cluster) for_cluster=yes ;;
  *)
    echo "launch/install.sh: \"$1\" is no option of it; --to-run leaves out what only the tests need, --with-cluster adds" \
      "Slurm for them" >&2
    exit 2
    ;;
esac

# The last words of a failure: what to do about it.
fail() {
  printf 'launch/install.sh: %s\n' "$@" >&2
  exit 1
}

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "No apt here: taking what is installed. CMake names what it does not find (docs/install.md)."
  exit 0
fi

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null) == installed ]]; }

missing=()
# need PACKAGE [COMMAND]: a command that is there counts, wherever it came from.
need() {
  if [[ $# -gt 1 ]] && command -v "$2" > /dev/null; then return; fi
  is_installed "$1" || missing+=("$1")
}

is_installed build-essential || { command -v g++ && command -v make; } > /dev/null || missing+=(build-essential)
need cmake cmake
need pkg-config pkg-config
need openmpi-bin mpirun
need libopenmpi-dev
need libopenblas-dev
need libhdf5-dev
need libboost-program-options-dev
need nlohmann-json3-dev
need libfmt-dev
need zlib1g-dev
need libzip-dev
need libdeflate-dev
need libprotobuf-dev
need protobuf-compiler protoc
need libssl-dev
[[ -r /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]] || missing+=(dataset-fashion-mnist)
if [[ $for_tests == yes ]]; then
  need gnuplot-nox gnuplot
  need libgtest-dev
  need clang-format-14 clang-format-14
  need python3-h5py
  need python3-pandas
fi
if [[ $for_cluster == yes ]]; then
  need munge munged
  need slurmctld slurmctld
  need slurmd slurmd
  need slurm-client sbatch
  need iproute2 ip
  # Daemons are for the tests to start: none comes up because it was installed.
  export RUNLEVEL=1
fi

# Wanted, not needed. want PACKAGE [COMMAND] WITHOUT: what is so without it.
optional=()
without=()
want() {
  local package=$1 command=$2
  if [[ -n $command ]] && command -v "$command" > /dev/null; then return; fi
  if is_installed "$package" || [[ " ${missing[*]} " == *" $package "* ]]; then return; fi
  optional+=("$package")
  without+=("without $package $3")
}
want ninja-build ninja "make builds, a little slower"
want gnuplot-nox gnuplot "\"plot\" does not draw; \"report\" has the curves"
want libdnnl-dev "" "OpenBLAS alone measures the machine's GEMM rate"

if [[ ${#missing[@]} -eq 0 ]]; then
  if [[ ${#optional[@]} -eq 0 || $EUID -ne 0 ]]; then
    echo "Packages: all there."
    if [[ ${#without[@]} -gt 0 ]]; then printf 'NOTE: %s.\n' "${without[@]}"; fi
    exit 0
  fi
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
  cure="apt-get install --no-install-recommends ${missing[*]} ${optional[*]}"
  command -v sudo > /dev/null || fail "these Debian packages are missing: ${missing[*]}" \
    "this account is not root and there is no sudo; let an administrator run: $cure"
  as_root=(sudo)
  [[ -t 0 ]] || as_root+=(-n)  # nobody there to type a password: fail rather than wait
  "${as_root[@]}" true || fail "these Debian packages are missing: ${missing[*]}" \
    "sudo refused; let an administrator run: $cure"
fi
# sudo forgets the environment; a proxy is part of how this machine reaches its packages.
as_root+=(env DEBIAN_FRONTEND=noninteractive)
for name in http_proxy https_proxy no_proxy RUNLEVEL; do
  [[ -z ${!name:-} ]] || as_root+=("$name=${!name}")
done

has_candidate() { [[ $(LC_ALL=C apt-cache policy "$1" 2> /dev/null) == *"Candidate: "[^\(]* ]]; }
# For an optional package alone, the lists of packages that are here will do.
if [[ ${#missing[@]} -gt 0 ]] || ! compgen -G '/var/lib/apt/lists/*_Packages*' > /dev/null; then
  "${as_root[@]}" apt-get -qq update || echo "NOTE: apt-get update failed; trying with the package lists that are here." >&2
fi
for package in "${optional[@]}"; do
  if has_candidate "$package"; then
    missing+=("$package")
  else
    echo "NOTE: this distribution has no $package; the build goes without it."
  fi
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "Packages: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${as_root[@]}" apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install "${missing[@]}" > "$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "apt-get could not install: ${missing[*]}" \
    "the lines above say why; for packages it cannot locate, the file /etc/apt/sources.list must list the section 'main' of Debian"
}
