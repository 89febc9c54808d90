#!/usr/bin/env bash
# The first inputs of each reader, in FOLDER/<reader>: files of the tests, small ones first, and those of
# tests/fuzz/corpus (findings that were mended, and what no test's file has).
#   tests/fuzz/seeds.sh FOLDER
set -eu
folder=${1:?usage: seeds.sh FOLDER}
tests=$(readlink -f "$(dirname "$0")/..")
golden=$tests/golden
# seeds READER FILE...: those of at most 48 KiB
seeds() {
  local reader=$1 file
  shift
  mkdir -p "$folder/$reader"
  for file in "$@"; do
    [[ ! -f $file || $(stat -c %s "$file") -gt 49152 ]] || cp "$file" "$folder/$reader/"
  done
  [[ ! -d $tests/fuzz/corpus/$reader ]] || cp "$tests/fuzz/corpus/$reader"/* "$folder/$reader/"
}
small=$(mktemp -d)
trap 'rm -rf "$small"' EXIT
printf '\0\0\10\3\0\0\0\4\0\0\0\3\0\0\0\2%024d' 7 > "$small/bytes.idx"
printf '\0\0\15\2\0\0\0\2\0\0\0\3%024d' 7 > "$small/floats.idx"
printf '\0\0\10\1\0\0\0\5\1\2\3\4\5' > "$small/labels.idx"
gzip -9nk "$small"/*.idx
printf 'Dense(5, activation="relu", kernel_regularizer=L2(1e-3), name="a")\n' > "$small/dense.txt"
printf 'Normalization(axis=-1, mean=[1, 2], variance=[1, 4.5])\n' > "$small/normalization.txt"
printf '{0: 1.0, 1: 1/255, "x": (28, -28.5e3)}, keras.optimizers.Adam(1e-3), None, True\n' > "$small/values.txt"
printf '\x93NUMPY\1\0\x76\0%-117s\n%96s' "{'descr': '<f8', 'fortran_order': True, 'shape': (4, 3), }" 7 > "$small/a.npy"
seeds idx "$small"/*.idx
seeds gz "$small"/*.gz
seeds csv "$golden"/tables/* "$golden/data/iris.csv"
seeds npy "$small"/*.npy "$golden"/data/iris_onehot.npy
seeds hdf5 "$tests"/unit/io/files/*.h5 "$golden/data/diabetes.h5"
seeds checkpoint "$golden"/checkpoints/*.h5
seeds keras_h5 "$golden"/keras_files/*.h5
seeds keras_zip "$golden"/keras_files/*.keras
seeds json "$golden"/keras_files/*.json
seeds configuration "$tests"/../configs/*.ini
seeds expression "$small"/*.txt
