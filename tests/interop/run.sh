#!/bin/bash
# Every export in the hands of the program it is for: Keras (the newest and older ones, as far as PyPI has them for this
# Python), onnxruntime, numpy. Not part of the default tests: it needs PyPI and an hour.
# Usage: tests/interop/run.sh [WORD]      (only cases with WORD in their name); tables go to build/interop/.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$PWD/build/release/nntrain-dist
[[ -x $program ]] || { echo "build first: launch/test.sh" >&2; exit 1; }
mkdir -p build/interop
failed=0
for version in newest 3.9.2 3.3.3 3.0.5; do
  folder=build/interop/keras-$version
  keras=keras$([[ $version == newest ]] || echo "==$version")
  if [[ ! -x $folder/bin/python ]]; then
    python3 -m venv "$folder"
    if ! "$folder/bin/pip" install -q "$keras" jax h5py numpy onnxruntime > "$folder/pip.log" 2>&1; then
      echo "Keras $version: PyPI has none for this Python ($(python3 --version)); see $folder/pip.log"
      rm -f "$folder/bin/python"
      continue
    fi
  fi
  echo "== Keras $version"
  (cd tests/interop && KERAS_BACKEND=jax "../../$folder/bin/python" run.py "$program" "../../build/interop/$version.md" "${1:-}") || failed=1
done
exit $failed
