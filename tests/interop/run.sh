#!/bin/bash
# Every word of the program's vocabulary in every Keras: models are trained and exported by the program (make_cases.py),
# opened by the real Keras of each version, onnxruntime and numpy (open_cases.py), and the result goes into
# docs/keras-compatibility.md. Not part of the default tests: it needs PyPI and an hour.
#   tests/interop/run.sh [WORD]      WORD: only cases with it in their name; the page is then left alone
# VERSIONS="2.15 newest" in the environment: only these; the others' results stay as they were found last.
# CASES=kept: open what the last run has exported.
# Exit code 1: a case disagrees, and tests/interop/known.py has no reason for it.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(readlink -f "${NNTRAIN_PROGRAM:-build/release/nntrain-dist}")
[[ -x $program ]] || { echo "build first: launch/test.sh" >&2; exit 1; }
home=$PWD/build/interop
mkdir -p "$home"
# version: packages. Old Keras does not run with newer JAX and numpy.
declare -A packages=(
  [2.15]="tensorflow-cpu==2.15.*"
  [3.0]="keras==3.0.* jax==0.4.25 jaxlib==0.4.25 numpy<2 scipy<1.13 h5py packaging"
  [3.3]="keras==3.3.* jax==0.4.25 jaxlib==0.4.25 numpy<2 scipy<1.13 h5py packaging"
  [3.9]="keras==3.9.* jax==0.5.* jaxlib==0.5.* h5py"
  [newest]="keras jax h5py onnxruntime tensorflow-cpu"
)
all=(2.15 3.0 3.3 3.9 newest)
read -r -a versions <<< "${VERSIONS:-${all[*]}}"
for version in "${versions[@]}"; do
  folder=$home/venv-$version
  [[ ! -f $folder/ready ]] || continue
  rm -rf "$folder"
  python3 -m venv "$folder"
  # shellcheck disable=SC2086  # several words
  if "$folder/bin/pip" install -q ${packages[$version]} > "$folder/pip.log" 2>&1; then
    touch "$folder/ready"
  else
    echo "Keras $version: PyPI has none for this Python ($(python3 --version)); see $folder/pip.log"
  fi
done
cases=$home/cases
failed=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
python=$home/venv-newest/bin/python
[[ -x $python ]] || python=python3  # numpy is all that this part needs
if [[ ${CASES:-} != kept ]]; then
  rm -rf "$cases"
  "$python" tests/interop/make_cases.py "$program" "$cases" "${1:-}" > "$home/make.log" || failed=1
fi
for version in "${versions[@]}"; do
  [[ -f $home/venv-$version/ready ]] || continue
  echo "== Keras $version"
  KERAS_BACKEND=jax "$home/venv-$version/bin/python" tests/interop/open_cases.py "$cases" "$home/$version.json" 2> "$home/$version.log" || failed=1
  # Layers that are TensorFlow's in Keras: where it is there.
  if [[ $version == newest ]]; then
    KERAS_BACKEND=tensorflow "$home/venv-$version/bin/python" tests/interop/open_cases.py "$cases" "$home/$version.json" needs 2>> "$home/$version.log" || failed=1
  fi
done
results=()
for version in "${all[@]}"; do
  [[ ! -f $home/$version.json ]] || results+=("$home/$version.json")
done
if [[ -z ${1:-} ]]; then
  python3 tests/interop/table.py docs/keras-compatibility.md "${results[@]}"
  # Other programs' views of a run: a browser's and TensorBoard's.
  tests/interop/run_report.sh "$program" || failed=1
  tests/interop/tensorboard.sh || failed=1
fi
exit $failed
