#!/usr/bin/env bash
# Real full disks: small tmpfs mounts, as root. Each file is written whole, or the program says that it was not and
# the old file is there.
#   tests/fault/full_disk.sh PROGRAM
set -u
program=$(readlink -f "${1:?usage: full_disk.sh PROGRAM}")
source=$(readlink -f "$(dirname "$0")/../..")
folder=$(mktemp -d)
disk=$folder/disk
mkdir "$disk"
trap 'umount "$disk" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
cp "$source/configs/data/iris.csv" .
cat > run.ini <<'INI'
[data]
inputs = iris.csv
input_columns = petal_length, petal_width
target_columns = species
[model]
layer = Dense(64, activation="relu")
layer = Dense(64, activation="relu")
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.01)
[fit]
epochs = 4
INI
{ echo petal_length,petal_width; for i in $(seq 2003); do echo "$((i % 7)),1"; done; } > big.csv
"$program" train run.ini > /dev/null || exit 1
failures=0
checks=0
check() {  # check NAME CODE EXPECTED_CODES...
  local name=$1 code=$2; shift 2
  checks=$((checks + 1))
  for expected in "$@"; do [ "$code" -eq "$expected" ] && return; done
  echo "FAILED: $name: exit code $code, expected $*"; cat out; failures=$((failures + 1))
}
for size in 4k 8k 12k 16k 20k 24k 32k 48k 64k 96k 128k; do
  for name in o.h5 o.csv o.npy; do
    "$program" predict run.h5 --data.inputs=big.csv --output=good-$name > /dev/null || exit 1
    mount -t tmpfs -o size=$size tmpfs "$disk" || exit 1
    "$program" predict run.h5 --data.inputs=big.csv --output="$disk/$name" > out 2>&1
    code=$?
    check "$name on $size" $code 0 1
    if [ $code -eq 0 ]; then cmp -s "good-$name" "$disk/$name"; check "$name on $size is whole" $? 0
    else [ -z "$(ls -A "$disk")" ]; check "nothing of $name is left on $size" $? 0; fi
    umount "$disk"
  done
  mount -t tmpfs -o size=$size tmpfs "$disk" || exit 1
  "$program" train run.ini --checkpoint.path="$disk/run.h5" --run.profile="$disk/trace.json" --run.log="$disk/log" \
    "--fit.callback=CSVLogger('$disk/log.csv')" > out 2>&1
  code=$?
  check "train on $size" $code 0 1
  if [ -e "$disk/run.h5" ]; then "$program" inspect "$disk/run.h5" >> out 2>&1; check "the checkpoint on $size is whole" $? 0
  elif [ $code -eq 0 ]; then check "a checkpoint on $size" 1 0; fi
  umount "$disk"
done
echo "$checks checks on full disks, $failures failures"
[ $failures -eq 0 ]
