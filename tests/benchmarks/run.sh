#!/usr/bin/env bash
# Measures and writes docs/benchmarks.md and docs/benchmarks.json.
#   tests/benchmarks/run.sh [PART...]         default: all of these, about a quarter of an hour on two cores
#     peers     ours, plain JAX, Keras on JAX, PyTorch DDP over gloo and plain PyTorch, in turn
#     variants  ours with other optimizers, layers and sizes; evaluation, prediction, memory
#     scaling   ours over numbers of ranks and batch sizes on this node
#     report    writes docs/benchmarks.md and docs/benchmarks.json from what the parts measured last
#     watching  what run.plot, run.log, the status file and TensorBoard cost a step (not a default part)
#     products        chains, oneDNN and OpenBLAS over batch sizes, a wide and a narrow model (not a default part)
#     vocabulary      every layer, activation, loss, optimizer .. at batch 256 against Keras on JAX (not a default part)
#     narrow          13-64-64-1 in regression, against plain JAX on both cores (not a default part)
#     shards          what automatic shards cost against the fewest (not a default part)
#     checkpoint      a checkpoint of 92 million parameters against dd with fsync, and how long training stands still for it
#                     (not a default part)
#     scaling_model   fits the model of docs/scaling.md to the measurements and writes it
# ROUNDS=3 in the environment: rounds of each part. The peers are installed from PyPI into build/benchmarks/env (5 GB,
# most of it CUDA libraries that PyTorch's package demands and CPUs do not use); nothing else on the machine changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
source launch/common.sh
if [[ -n ${OPENBLAS_CORETYPE:-} ]]; then
  echo "NOTE: OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE is not used here: it makes OpenBLAS slower than it is."
  unset OPENBLAS_CORETYPE
fi
parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(peers variants scaling report scaling_model)
[[ -f build/release/CMakeCache.txt ]] || { echo "build first: launch/quickstart.sh, or the README's two cmake commands"; exit 1; }
cmake --build build/release --target nntrain-dist gemm_shapes checkpoint_write --parallel "$(build_jobs)" > /dev/null
peers=(numpy h5py keras jax torch)
environment=build/benchmarks/env
if [[ ${#parts[@]} -eq 1 && ${parts[0]} =~ ^(checkpoint|watching|products|shards)$ ]]; then
  peers=(numpy h5py)  # none takes part
  environment=build/benchmarks/small_env
fi
python=$environment/bin/python
if [[ ! -x $python ]]; then
  echo "Installing ${peers[*]} into $environment ..."
  mkdir -p build/benchmarks
  python3 -m venv "$environment.new"
  "$environment.new/bin/python" -m pip install -q "${peers[@]}"
  mv "$environment.new" "$environment"
fi
prepare_mpi
for part in "${parts[@]}"; do
  script=tests/benchmarks/$part.py
  [[ -f $script ]] || { echo "no such part: $part; parts: peers variants scaling watching products vocabulary narrow shards checkpoint report scaling_model"; exit 2; }
  PYTHONPATH=tests/benchmarks "$python" "$script"
done
