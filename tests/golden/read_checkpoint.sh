#!/bin/bash
# docs/checkpoint-format.md, put to the test: read_checkpoint.py, which knows that page and h5py only, reads the
# checkpoint of a run. Usage: read_checkpoint.sh PROGRAM CSV
set -euo pipefail
program=$(realpath "$1")
data=$(realpath "$2")
reader=$(realpath "$(dirname "$0")/read_checkpoint.py")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# The first python3 of PATH may be another than Debian's, which python3-h5py belongs to.
for python in python3 /usr/bin/python3; do
  "$python" -c 'import h5py' 2> /dev/null && break
done

cat > run.ini << END
[data]
inputs = $data
target_columns = species
[model]
layer = Dense(5, activation="relu")
layer = BatchNormalization()
layer = Dropout(0.1)
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.02)
metrics = accuracy
[fit]
epochs = 3
validation_split = 0.2
callback = EarlyStopping(patience=2, restore_best_weights=True)
[checkpoint]
path = run.h5
END
"$program" train run.ini --fit.verbose=0
"$python" "$reader" run.h5 > found || fail "the digest that the page describes is not the file's"
cat found
digest=$("$program" inspect run.h5 | sed -n 's/^weights_digest: //p')
grep -qx "weights_digest: $digest" found || fail "inspect says $digest"
for fact in "'epoch': 3" "history val_accuracy" "dense/kernel"; do
  grep -q -- "$fact" found || fail "it did not find: $fact"
done

# One bit of one weight: the digest must tell.
"$python" - << 'END'
import h5py
with h5py.File("run.h5", "r+") as file:
    kernel = file["model_weights/dense/dense/kernel:0"]
    kernel[0, 0] = kernel[0, 0] * 1.5 + 1
END
if "$python" "$reader" run.h5 > /dev/null; then fail "a changed weight was not noticed"; fi
echo "The checkpoint is as its page says."
