#!/bin/bash
# The event files of a run that is stopped and resumed, read by the real tensorboard package. Not part of the default
# tests: it needs PyPI.
# Usage: tests/interop/tensorboard.sh      NNTRAIN_PROGRAM in the environment: that program, else build/release's
set -euo pipefail
cd "$(dirname "$0")/../.."
source_dir=$PWD
program=$(readlink -f "${NNTRAIN_PROGRAM:-build/release/nntrain-dist}")
[[ -x $program ]] || { echo "build first: launch/test.sh" >&2; exit 1; }
environment=$PWD/build/interop/tensorboard
if [[ ! -x $environment/bin/tensorboard ]]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" -q install "tensorboard==2.20.*" "setuptools<81"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
train() {
  "$program" train "$source_dir/configs/multiclass_iris.ini" "--data.inputs=$source_dir/configs/data/iris.csv" \
    --data.rows=30: --data.validation_rows=:30 --fit.epochs=6 --checkpoint.path=run.h5 --checkpoint.every_epochs=2 \
    '--fit.callback=TensorBoard("logs", histogram_freq=2, update_freq=3, write_steps_per_second=True)' \
    --fit.verbose=0 "$@"
}
for _ in 1 2 3; do  # a step further each time
  status=0
  train --run.max_time=0:0:0.001 || status=$?
  [[ $status -eq 75 ]]
done
train
"$environment/bin/python" "$source_dir/tests/interop/tensorboard_read.py" "$work" "$program"
