#!/usr/bin/env bash
# The first inputs of a reader, in FOLDER/<reader>: files of the tests and those of tests/fuzz/corpus (small ones,
# make_corpus.py, and findings that were mended), none longer than BYTES.
#   tests/fuzz/seeds.sh FOLDER READER BYTES
set -eu
usage='usage: seeds.sh FOLDER READER BYTES'
folder=${1:?$usage} reader=${2:?$usage} most=${3:?$usage}
tests=$(readlink -f "$(dirname "$0")/..")
golden=$tests/golden
small=$(mktemp -d)
trap 'rm -rf "$small"' EXIT
printf '\0\0\10\3\0\0\0\4\0\0\0\3\0\0\0\2%024d' 7 > "$small/bytes.idx"
printf '\0\0\15\2\0\0\0\2\0\0\0\3%024d' 7 > "$small/floats.idx"
printf '\0\0\10\1\0\0\0\5\1\2\3\4\5' > "$small/labels.idx"
gzip -9nk "$small"/*.idx
printf 'a,b\n1,2\n3,4\n' | gzip -9n > "$small/table.csv.gz"
printf 'Dense(5, activation="relu", kernel_regularizer=L2(1e-3), name="a")\n' > "$small/dense.txt"
printf 'Normalization(axis=-1, mean=[1, 2], variance=[1, 4.5])\n' > "$small/normalization.txt"
printf '{0: 1.0, 1: 1/255, "x": (28, -28.5e3)}, keras.optimizers.Adam(1e-3), None, True\n' > "$small/values.txt"
printf '\x93NUMPY\1\0\x76\0%-117s\n%96s' "{'descr': '<f8', 'fortran_order': True, 'shape': (4, 3), }" 7 > "$small/a.npy"
printf 'a,b,kind\n1,2.5,x\n3,-4e2,y\n5,6,x\n' > "$small/table.csv"
printf '"a b";"c"\n1,5;"x"\n;"y ""z"""\n' > "$small/semicolons.csv"
printf '1 1:0.5 3:2\n-1 2:1e-3 # note\n' > "$small/sparse.svm"
printf '1\t2\n3\t4\n' > "$small/numbers.tsv"
case $reader in
  idx) files=("$small"/*.idx) ;;
  gz) files=("$small"/*.gz) ;;
  csv) files=("$small"/*.csv "$small"/*.svm "$small"/*.tsv "$golden"/tables/* "$golden/data/iris.csv") ;;
  npy) files=("$small"/*.npy "$golden"/data/*.npy "$golden"/keras_files/*.npy) ;;
  hdf5) files=("$tests"/unit/io/files/*.h5) ;;
  checkpoint) files=("$golden"/checkpoints/*.h5) ;;
  keras_h5) files=("$golden"/keras_files/*.h5) ;;
  keras_zip) files=("$golden"/keras_files/*.keras) ;;
  json) files=("$golden"/keras_files/*.json) ;;
  configuration) files=("$tests"/../configs/*.ini) ;;
  expression) files=("$small"/*.txt) ;;
esac
rm -rf "${folder:?}/$reader"
mkdir -p "$folder/$reader"
for file in "${files[@]}" "$tests/fuzz/corpus/$reader"/*; do
  [[ ! -f $file || $(stat -c %s "$file") -gt $most ]] || cp "$file" "$folder/$reader/"
done
