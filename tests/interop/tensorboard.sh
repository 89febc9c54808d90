#!/bin/bash
# tests/interop/tensorboard.sh PROGRAM: the event files of a run that is stopped and resumed, read by the real
# tensorboard package (PyPI, into a virtual environment). Not a default test: it needs the network once.
set -euo pipefail
program=$(readlink -f "${1:?usage: tests/interop/tensorboard.sh PROGRAM}")
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=${TENSORBOARD_VENV:-${TMPDIR:-/tmp}/nntrain-tensorboard-venv}
if [[ ! -x $environment/bin/tensorboard ]]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" -q install "tensorboard==2.20.*" "setuptools<81"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
train() {
  "$program" train "$source_dir/configs/multiclass_iris.ini" "--data.inputs=$source_dir/configs/data/iris.csv" \
    --data.validation_rows=::5 --fit.epochs=6 --checkpoint.path=run.h5 --checkpoint.every_epochs=2 \
    '--fit.callback=TensorBoard("logs", histogram_freq=2, update_freq=3, write_steps_per_second=True)' \
    --fit.verbose=0 "$@"
}
# Stopped after every step for a while, then to the end.
for _ in 1 2 3; do
  status=0
  train --run.max_time=0:0:0.001 || status=$?
  [[ $status -eq 75 ]]
done
train
"$environment/bin/python" "$source_dir/tests/interop/tensorboard_read.py" "$work" "$program"
