#!/bin/bash
# From a fresh Debian machine to a trained network: installs what is missing, builds build/release/nntrain-dist,
# trains configs/fashion_mnist.ini on this machine's cores and evaluates it on the test images.
#
#   launch/quickstart.sh [RANKS]      default: one rank per core, at most 8
#
# Safe to run again: it goes on where it stopped, and a finished run stays as it is.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
source launch/common.sh

config=configs/fashion_mnist.ini
checkpoint=runs/fashion_mnist.h5
program=build/release/nntrain-dist

ranks=${1:-}
if [[ $# -gt 1 || ! $ranks =~ ^([1-9][0-9]*)?$ ]]; then
  echo "launch/quickstart.sh: RANKS is \"$*\"; give one number from 1 on, or nothing for one rank per core" >&2
  exit 2
fi

say() { printf '\n== %s\n' "$*"; }

say "Packages"
launch/install.sh --to-run

say "Build: $program"
# The tests need GoogleTest, training does not. Where it is there, the tree stays as launch/test.sh made it.
options=()
if ! pkg-config --exists gtest; then options=(-DNNTRAIN_TESTS=OFF); fi
build release nntrain-dist "${options[@]}"

cores=$(allowed_cores)
quota=$(cpu_quota)
if ((quota < cores)); then usable=$quota; else usable=$cores; fi
# Two hardware threads of a single core still overlap waiting with computing.
if ((usable == 1 && quota > 1 && $(allowed_cpus | wc -l) > 1)); then usable=2; fi
ranks=${ranks:-$((usable < 8 ? usable : 8))}

prepare_mpi
# --oversubscribe lifts Open MPI's count of slots, which misses hardware threads and containers; it changes nothing
# when every rank has a core.
mpi=(mpirun -np "$ranks" --oversubscribe)
# A rank that stays on its core keeps its caches; not where a quota moves ranks about, or cores are fewer.
if ((quota >= cores && ranks <= cores)) && [[ -r /sys/devices/system/cpu/cpu0/topology/thread_siblings_list ]]; then
  mpi+=(--bind-to core)
else
  mpi+=(--bind-to none)
fi

command="mpirun -np $ranks $program"
if ((ranks > cores)); then command="mpirun -np $ranks --oversubscribe $program"; fi
say "Train: $command train $config"
if [[ $# -eq 0 ]] && ((usable > ranks)); then
  echo "$ranks of $usable cores: a mini-batch of 32 images feeds no more. Large batches use them all (fit.batch_size)."
fi
mkdir -p runs
status=0
"${mpi[@]}" "$program" train "$config" || status=$?
if ((status != 0)); then
  echo "The training stopped with exit code $status; the same command goes on from the last checkpoint, if there is one." >&2
  exit "$status"
fi

say "Evaluate: the 10,000 test images"
result=$("${mpi[@]}" "$program" evaluate "$checkpoint")
echo "$result"
accuracy=$(sed -n 's/.*[^_]accuracy: \([0-9.]*\).*/\1/p' <<< " $result" | tail -n 1)
if [[ -z $accuracy ]]; then
  echo "launch/quickstart.sh: the evaluation printed no accuracy" >&2
  exit 1
fi

cat << END

Test accuracy: $accuracy

What to try next:
END
if ((${#mpi_settings[@]} > 0)); then printf '  export %s\n' "${mpi_settings[@]}"; fi
cat << END
  $command train $config --fit.epochs=40
      goes on from epoch 30, at any number of ranks, with the bits of one straight run
  $command predict $checkpoint --data.inputs=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz --output=runs/predictions.csv
  $program summary $config
      the layers and their sizes
  $program inspect $checkpoint
      history and how it was trained
  $program train --help
      every key; configs/README.md presents the other configurations
END
