#!/bin/bash
# The same bits on 64-bit ARM: cross-builds for aarch64 against a Debian 12 sysroot, runs the unit tests of core, nn and
# optim under qemu, and a table of whole runs over every activation, loss, optimizer and more of the vocabulary here and
# there, whose weights and history must be equal, bit for bit; then predictions, scores, several ranks there, and runs
# that go on on the other machine.
# Needs debootstrap, g++-aarch64-linux-gnu, qemu-user and the network, but neither root nor an ARM machine. Half an
# hour on two quiet cores; not a default test. qemu proves bits, not speed.
#
#   tests/install/aarch64.sh PROGRAM [FOLDER]      PROGRAM: the program of this machine, e.g. build/release/nntrain-dist
#
# FOLDER (default: build/aarch64) keeps the sysroot and the build for the next time.
#   ENTRIES="gelu Adam"    in the environment: these entries of the vocabulary alone (options, metrics, ranks: parts)
#   CROSS_OPTIONS="-DNNTRAIN_ARCH=armv8.2-a"    further options of CMake
#   JOBS=1                 compilers at a time
set -euo pipefail
source_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

fail() {
  echo "aarch64.sh: $*" >&2
  exit 1
}

[[ $# -ge 1 && -x $1 ]] || fail "give the program of this machine: tests/install/aarch64.sh build/release/nntrain-dist"
native=$(readlink -f "$1")
folder=${2:-$source_tree/build/aarch64}
for tool in debootstrap:debootstrap aarch64-linux-gnu-g++:g++-aarch64-linux-gnu qemu-aarch64:qemu-user dpkg:dpkg protoc:protobuf-compiler; do
  command -v "${tool%%:*}" > /dev/null || fail "needs ${tool%%:*} (apt-get install ${tool##*:})"
done
mkdir -p "$folder"
folder=$(readlink -f "$folder")
sysroot=$folder/sysroot
triple=aarch64-linux-gnu
libraries=$sysroot/usr/lib/$triple

step() { printf '\n######## %s\n' "$*"; }

# Packages are downloaded by debootstrap and unpacked without being run; what their scripts would link is linked here.
make_sysroot() {
  local packages=libopenmpi-dev,openmpi-bin,libopenblas-dev,libhdf5-dev,libboost-program-options-dev,nlohmann-json3-dev
  packages+=,libfmt-dev,zlib1g-dev,libzip-dev,libdeflate-dev,libprotobuf-dev,libssl-dev,libgtest-dev
  local mirror package
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Release: bookworm' 2> /dev/null | sed -n 1p)
  rm -rf "$folder/debs" "$sysroot.new"
  local as_root=()
  [[ $EUID -eq 0 ]] || as_root=(fakeroot)
  "${as_root[@]}" debootstrap --foreign --arch=arm64 --variant=minbase --include="$packages" bookworm "$folder/debs" \
    "${mirror:-http://deb.debian.org/debian}" > "$folder/debootstrap.log" || fail "debootstrap: $(tail -n 3 "$folder/debootstrap.log")"
  for package in "$folder"/debs/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$sysroot.new"; done
  rm -rf "$folder/debs"
  mv "$sysroot.new" "$sysroot"
}

link() { ln -sfn "$2" "$libraries/$1"; }

link_alternatives() {
  link libhdf5.so hdf5/serial/libhdf5.so
  link libopenblas.so.0 openblas-pthread/libopenblas.so.0
  link libopenblas.so openblas-pthread/libopenblas.so
  link libblas.so.3 openblas-pthread/libblas.so.3
  link liblapack.so.3 openblas-pthread/liblapack.so.3
  link libmpi.so openmpi/lib/libmpi.so
  link pkgconfig/openblas.pc ../openblas-pthread/pkgconfig/openblas.pc
  ln -sfn "../../lib/$triple/openmpi/include" "$sysroot/usr/include/$triple/mpi"
  # Absolute links of packages point into this machine; into the sysroot they are to point.
  find "$sysroot" -type l -lname '/*' -printf '%p %l\n' | while read -r from to; do
    if [[ -e $sysroot$to ]]; then ln -sfn "$sysroot$to" "$from"; fi
  done
}

configure() {
  local more
  read -ra more <<< "${CROSS_OPTIONS:-}"
  cat > "$folder/toolchain.cmake" << CMAKE
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER $triple-gcc)
set(CMAKE_CXX_COMPILER $triple-g++)
set(CMAKE_SYSROOT $sysroot)
set(CMAKE_LIBRARY_ARCHITECTURE $triple)
set(CMAKE_FIND_ROOT_PATH $sysroot)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;$sysroot)
CMAKE
  PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$sysroot/usr/share/pkgconfig \
    cmake -S "$source_tree" -B "$folder/build" ${1:+-G "$1"} -DCMAKE_TOOLCHAIN_FILE="$folder/toolchain.cmake" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INCLUDE_PATH="$sysroot/usr/include/hdf5/serial" -DNNTRAIN_ONEDNN=OFF \
    ${CMAKE_CXX_COMPILER_LAUNCHER:+-DCMAKE_CXX_COMPILER_LAUNCHER="$CMAKE_CXX_COMPILER_LAUNCHER"} \
    "${more[@]}" > "$folder/configure.log" 2>&1 ||
    fail "cmake: $(tail -n 20 "$folder/configure.log")"
}

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated OMPI_MCA_mpi_yield_when_idle=1
emulator=(qemu-aarch64 -L "$sysroot" -E "OPAL_PREFIX=$sysroot/usr"
  -E "LD_LIBRARY_PATH=$libraries:$libraries/openblas-pthread:$libraries/openmpi/lib:$libraries/hdf5/serial")

if [[ ! -d $sysroot ]]; then
  step "sysroot of Debian 12 for arm64"
  make_sysroot
fi
link_alternatives
step "cross-build"
generator=
if command -v ninja > /dev/null; then generator=Ninja; fi
configure "$generator"
cmake --build "$folder/build" --target nntrain-dist unit_core unit_nn unit_optim --parallel "${JOBS:-$(nproc)}" > "$folder/build.log" 2>&1 ||
  fail "build: $(tail -n 30 "$folder/build.log")"
cross=$folder/build/nntrain-dist
"${emulator[@]}" "$cross" --version

step "unit tests under qemu"
for floor in core nn optim; do
  (cd "$folder" && "${emulator[@]}" "$folder/build/tests/unit_$floor" --gtest_brief=1) || fail "unit_$floor failed"
done

step "whole runs, here and there"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# 12 columns and 4 targets between 0 and 1, of which the first also serves as a class.
awk 'BEGIN {
  seed = 12345
  for (row = 0; row < 160; ++row) {
    line = ""
    for (column = 0; column < 16; ++column) {
      seed = (seed * 16807) % 2147483647
      line = line sprintf("%s%.4f", column ? "," : "", seed / 2147483647)
    }
    print line "," int(4 * seed / 2147483647)
  }
}' > table.csv

cat > run.ini << 'INI'
[data]
inputs = table.csv
[compile]
optimizer = SGD(learning_rate=0.001)
[fit]
epochs = 2
batch_size = 32
validation_split = 0.2
[run]
seed = 5
products = chains
INI

# program WHERE ARGUMENTS...: with $ranks ranks, by this machine's mpirun
ranks=1
program() {
  local command=("$native")
  if [[ $1 == there ]]; then command=("${emulator[@]}" "$cross"); fi
  if [[ $ranks != 1 ]]; then command=(mpirun --bind-to none -np "$ranks" "${command[@]}"); fi
  shift
  "${command[@]}" "$@"
}

# results WHERE OPTIONS...: trains, or goes on with $from; the digest of the weights and the history without its seconds
from=
results() {
  local where=$1
  shift
  rm -f "$where.h5"
  if [[ -n $from ]]; then cp "$from" "$where.h5"; fi
  program "$where" train run.ini --checkpoint.path="$where.h5" "$@" > "$where.log" 2>&1 || { echo "failed: $(tail -n 1 "$where.log")"; return; }
  "$native" inspect "$where.h5" | sed -n 's/^weights_digest: //p'
  "$native" inspect "$where.h5" --history=csv | awk -F, '
    NR == 1 { for (i = 1; i <= NF; ++i) keep[i] = $i != "seconds" }
    { for (i = 1; i <= NF; ++i) if (keep[i]) printf "%s ", $i; print "" }'
}

same=0
different=()
failed=()
# both NAME OPTIONS...
both() {
  local name=$1 here there
  shift
  here=$(results here "$@")
  there=$(results there "$@")
  if [[ $here == failed* ]]; then
    failed+=("$name")
    echo "NOT RUN: $name: $here"
  elif [[ $here == "$there" && ${#here} -gt 64 ]]; then
    same=$((same + 1))
  else
    different+=("$name")
    echo "DIFFERENT: $name"
    diff <(echo "$here") <(echo "$there") | sed 's/^/  /' || true
  fi
}

values=(--data.input_columns=:12 --data.target_columns=12:16)
classes=(--data.input_columns=:12 --data.target_columns=16)
hidden=(--model.layer='Dense(24, activation="tanh", kernel_initializer="he_normal")')
regression=("${values[@]}" --compile.loss=mse)
softmax='Dense(4, activation="softmax")'
wanted() { [[ -z ${ENTRIES:-} || " $ENTRIES " == *" ${1%%[(_.]*} "* || " $ENTRIES " == *" ${1%%(*} "* ]]; }
names() { "$native" vocabulary | sed -n "/^## $1/,/^## /s/^| \`\([A-Za-z0-9_]*\)\`.*/\1/p"; }

for name in $(names Activations); do
  wanted "$name" || continue
  both "activation $name" "${regression[@]}" "${hidden[@]}" --model.layer="Dense(24)" --model.layer="Activation(\"$name\")" \
    --model.layer='Dense(4)'
done

for loss in $(names Losses) 'BinaryCrossentropy(from_logits=True)' 'BinaryCrossentropy(label_smoothing=0.1)' \
  'BinaryFocalCrossentropy(gamma=1.5, apply_class_balancing=True)' 'CategoricalFocalCrossentropy(gamma=1.5)' \
  'SparseCategoricalCrossentropy(from_logits=True)' 'CategoricalCrossentropy(label_smoothing=0.1)' 'Tversky(alpha=0.3, beta=0.7)'; do
  wanted "$loss" || continue
  options=("${values[@]}")
  last='Dense(4, activation="sigmoid")'
  case $loss in
    *logits*) options=("${classes[@]}") last='Dense(4)' ;;
    Sparse* | *GeneralizedCrossEntropy | Categorical*entropy*) options=("${classes[@]}") last=$softmax ;;
    KLDivergence) last=$softmax ;;
    Circle) options=("${classes[@]}") last='UnitNormalization()' ;;
    Binary*) options=("${classes[@]}") ;;
    *Hinge | Perceptron) options=("${classes[@]}") last='Dense(4)' ;;
  esac
  both "loss $loss" "${options[@]}" --compile.loss="$loss" "${hidden[@]}" --model.layer="$last"
done

optimizers=()
for name in $(names Optimizers); do optimizers+=("$name(learning_rate=0.01)"); done
optimizers+=('SGD(learning_rate=0.01, momentum=0.9, nesterov=True)' 'SGD(learning_rate=0.01, use_ema=True, ema_momentum=0.9)'
  'Adam(learning_rate=0.01, amsgrad=True)' 'Adam(learning_rate=0.01, clipnorm=0.1)' 'Adam(learning_rate=0.01, global_clipnorm=0.1)'
  'RMSprop(learning_rate=0.01, momentum=0.9, centered=True)' 'Ftrl(learning_rate=0.01, learning_rate_power=-0.7)'
  'SGD(learning_rate=ExponentialDecay(0.1, 3, 0.9))' 'SGD(learning_rate=InverseTimeDecay(0.1, 3, 0.5))'
  'SGD(learning_rate=PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01]))' 'SGD(learning_rate=PolynomialDecay(0.1, 7, power=0.7))'
  'SGD(learning_rate=CosineDecay(0.1, 7))' 'SGD(learning_rate=CosineDecayRestarts(0.1, 2, m_mul=0.9))')
for optimizer in "${optimizers[@]}"; do
  wanted "$optimizer" || continue
  both "optimizer $optimizer" "${regression[@]}" --compile.optimizer="$optimizer" "${hidden[@]}" --model.layer='Dense(4)'
done

for layer in 'Dropout(0.2)' 'AlphaDropout(0.2)' 'GaussianNoise(0.1)' 'GaussianDropout(0.2)' 'BatchNormalization()' 'LayerNormalization()' \
  'RMSNormalization()' 'UnitNormalization()' 'GroupNormalization(groups=4)' 'PReLU()' 'ActivityRegularization(l1=0.01, l2=0.01)' \
  'LeakyReLU(0.1)' 'ELU(0.5)' 'Softmax()' 'Rescaling(0.3, offset=0.1)'; do
  wanted "$layer" || continue
  both "layer $layer" "${regression[@]}" "${hidden[@]}" --model.layer="$layer" --model.layer='Dense(4)'
done
if wanted Normalization; then both "layer Normalization()" "${regression[@]}" --model.layer='Normalization()' "${hidden[@]}" --model.layer='Dense(4)'; fi
# Layers of whole numbers, of the class here, and of bins.
for layer in 'Embedding(4, 8)' 'CategoryEncoding(4)' 'Hashing(3, output_mode="one_hot")' \
  'IntegerLookup(vocabulary=[0, 1, 2], output_mode="one_hot")' 'Discretization(bin_boundaries=[0.3, 0.6], output_mode="one_hot")'; do
  wanted "$layer" || continue
  column=16
  case $layer in Discretization*) column=0 ;; esac
  both "layer $layer" --data.input_columns=$column --data.target_columns=12:16 --compile.loss=mse --model.layer="$layer" \
    --model.layer='Flatten()' --model.layer='Dense(4)'
done

# What else has numbers: preparation of data, weights of classes, the wire, learning rates of callbacks and warm-up.
for option in --data.target_scale=standardize '--data.validation=split(0.2, shuffle=True)' '--data.columns=0: categorical' --data.memory=stream \
  '--fit.class_weight=0:1.7' --run.wire=bfloat16 '--fit.callback=ReduceLROnPlateau(factor=0.3, patience=0, min_delta=10)' --fit.warmup_epochs=1; do
  wanted options || continue
  rest=("${regression[@]}" "${hidden[@]}" --model.layer='Dense(4)')
  case $option in
    --data.validation*) rest+=(--fit.validation_split=0) ;;
    --data.memory*) rest+=(--fit.shuffle='blocks(window=3)') ;;
    --fit.class_weight*)
      rest=("${classes[@]}" --compile.loss=sparse_categorical_crossentropy "${hidden[@]}" --model.layer="$softmax") ;;
  esac
  both "option $option" "${rest[@]}" "$option"
done

for initializer in $(names Initializers); do
  wanted "$initializer" || continue
  both "initializer $initializer" "${regression[@]}" --model.layer="Dense(24, kernel_initializer=\"$initializer\")" --model.layer='Dense(4)'
done
for regularizer in 'L1(0.01)' 'L2(0.01)' 'L1L2(0.01, 0.01)' 'OrthogonalRegularizer(0.01)'; do
  wanted "$regularizer" || continue
  both "regularizer $regularizer" "${regression[@]}" --model.layer="Dense(24, kernel_regularizer=$regularizer)" --model.layer='Dense(4)'
done
for constraint in 'MaxNorm(0.5)' 'NonNeg()' 'UnitNorm()' 'MinMaxNorm(0.2, 0.5, rate=0.7)'; do
  wanted "$constraint" || continue
  both "constraint $constraint" "${regression[@]}" --model.layer="Dense(24, kernel_constraint=$constraint)" --model.layer='Dense(4)'
done

if wanted metrics; then
  both "metrics of values" "${regression[@]}" "${hidden[@]}" --model.layer='Dense(4, activation="sigmoid")' \
    --compile.metrics='mse, RootMeanSquaredError, mae, mape, msle, LogCoshError, CosineSimilarity, KLDivergence, Poisson, Accuracy, R2Score, PearsonCorrelation, ConcordanceCorrelation'
  both "metrics of classes" "${classes[@]}" --compile.loss=sparse_categorical_crossentropy "${hidden[@]}" --model.layer="$softmax" \
    --compile.metrics='accuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy(k=2), F1Score(average="macro"), FBetaScore(beta=2.0), Precision, Recall, AUC, AUC(curve="PR", name="pr"), SensitivityAtSpecificity(0.5)'
  both "metrics of one output" --data.input_columns=:12 --data.target_columns=16 --data.positive_class=1 --compile.loss=bce "${hidden[@]}" \
    --model.layer='Dense(1, activation="sigmoid")' \
    --compile.metrics='accuracy, BinaryCrossentropy, Hinge, SquaredHinge, Precision, Recall, AUC, AUC(curve="PR", name="pr"), PrecisionAtRecall(0.5), BinaryIoU'
  # The last run's files, there and here: predictions, and every score of evaluate.
  for what in "predict --data.input_columns=:12 --output=OUT.csv" "evaluate --json"; do
    for where in here there; do
      # shellcheck disable=SC2086
      program $where ${what%% *} $where.h5 --data.inputs=table.csv ${what#* } > $where.out 2> $where.log || true
      rm -f $where.csv
      if [[ -e OUT.csv ]]; then mv OUT.csv $where.csv; else mv $where.out $where.csv; fi
    done
    if [[ -s here.csv ]] && cmp -s here.csv there.csv; then
      same=$((same + 1))
    else
      different+=("${what%% *}")
      echo "DIFFERENT: $what: $(tail -n 1 here.log) / $(tail -n 1 there.log)"
    fi
  done
fi

# like_straight NAME RESULTS
like_straight() {
  if [[ $2 == "$straight" && ${#straight} -gt 64 ]]; then
    same=$((same + 1))
  else
    different+=("$1")
    echo "DIFFERENT: $1"
    diff <(echo "$straight") <(echo "$2") | sed 's/^/  /' || true
  fi
}
if wanted ranks; then
  options=("${regression[@]}" --compile.optimizer='Adam(learning_rate=ExponentialDecay(0.01, 3, 0.9))' --model.layer='BatchNormalization()'
    --model.layer='Dense(24, activation="gelu")' --model.layer='Dropout(0.2)' --model.layer='Dense(4)')
  straight=$(results here "${options[@]}")
  for ranks in 2 3; do like_straight "$ranks ranks there" "$(results there "${options[@]}")"; done
  ranks=1
  # A checkpoint of the middle of the second epoch goes on on the other machine.
  for where in here there; do
    results $where "${options[@]}" --fit.callback="ModelCheckpoint(\"cut-$where.h5\", save_freq=6)" > ignored
  done
  from=cut-there.h5
  like_straight "a checkpoint from there goes on here" "$(results here "${options[@]}")"
  from=cut-here.h5
  like_straight "a checkpoint from here goes on there" "$(results there "${options[@]}")"
  # Ranks of both in one run are two builds, which no run may have.
  code=0
  mpirun --bind-to none -np 1 "$native" train run.ini "${options[@]}" --checkpoint.path=both.h5 \
    : -np 1 "${emulator[@]}" "$cross" train run.ini "${options[@]}" --checkpoint.path=both.h5 > both.log 2>&1 || code=$?
  if [[ $code != 2 ]] || ! grep -q 'must be the same on all ranks' both.log || [[ -e both.h5 ]]; then
    different+=("ranks of both")
    echo "DIFFERENT: ranks of both machines in one run ended with $code: $(tail -n 3 both.log)"
  fi
fi
echo "$same the same, ${#different[@]} different, ${#failed[@]} not run here"
[[ ${#different[@]} -eq 0 && ${#failed[@]} -eq 0 ]]
