#!/usr/bin/env bash
# Ours and what a user would pick instead, in turn on the same cores, data and model (784-500x4-10, SGD, real
# Fashion-MNIST); medians of ratios in one run. Writes docs/benchmarks.md and build/benchmarks/results.json.
#   tests/benchmarks/run.sh [ROUNDS=3]
# Peers are installed from PyPI into build/benchmarks/env; nothing else on the machine changes.
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-3}
[ -z "${OPENBLAS_CORETYPE:-}" ] || echo "NOTE: OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE is set; unset it for honest numbers"
program=build/release/nntrain-dist
[ -x "$program" ] || { echo "build first: launch/quickstart.sh or cmake --build build/release"; exit 1; }
folder=build/benchmarks
mkdir -p "$folder"
if [ ! -x "$folder/env/bin/python" ]; then
  python3 -m venv "$folder/env"
  "$folder/env/bin/pip" install -q numpy keras jax torch
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
exec "$folder/env/bin/python" tests/benchmarks/compare.py "$program" "$rounds"
