#!/usr/bin/env bash
# Kills a run with SIGKILL at random moments and resumes it at random numbers of ranks, until it is finished; the
# result must be the straight run bit for bit.
#   tests/fault/kill_and_resume.sh PROGRAM [CYCLES=200] [SEED=1] [stream]
# stream: inputs are a gzip-compressed HDF5 file that is read from disk, two times of three; the straight run has them
# in memory.
# One cycle is one kill, at a moment between the start and the length of the straight run (2 s at least). Prints the
# cycles done, and how many of them left a checkpoint half written, and exits 0 when every finished run had the
# straight run's bits.
set -u
program=$(readlink -f "${1:?usage: kill_and_resume.sh PROGRAM [CYCLES] [SEED]}")
cycles=${2:-200}
RANDOM=${3:-1}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated
folder=$(mktemp -d)
segments=$(mktemp -d /dev/shm/nntrain-kills.XXXXXX)  # what Open MPI leaves behind when it is killed
export OMPI_MCA_btl_vader_backing_directory=$segments
trap 'rm -rf "$folder" "$segments"' EXIT
cd "$folder" || exit 1
cat > run.ini <<'INI'
[data]
inputs = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
targets = /usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
rows = :6011
validation_rows = 6011:6200
scale = 1/255
[model]
layer = Flatten()
layer = Dense(64, activation="relu")
layer = Dropout(0.2)
layer = BatchNormalization()
layer = Dense(10, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.001)
metrics = accuracy
[fit]
epochs = 12
batch_size = 32
callback = EarlyStopping(monitor="val_loss", patience=50, restore_best_weights=True)
[checkpoint]
every_steps = 11
[run]
seed = 5
shards = 8
INI
memory=()
if [ "${4:-}" = stream ]; then
  images=/usr/share/datasets/fashion-mnist/train
  "$program" convert $images-images-idx3-ubyte.gz --data.targets=$images-labels-idx1-ubyte.gz --gzip=1 \
    --output=data.h5 > convert.log 2>&1 || { cat convert.log; exit 1; }
  sed -i -e 's|^inputs = .*|inputs = data.h5:/inputs|' -e 's|^targets = .*|targets = data.h5:/targets|' \
    -e 's|^batch_size.*|&\nshuffle = blocks(window=2)|' run.ini
  memory=(stream stream resident)
fi
results() { "$program" inspect "$1" | grep -E '^weights_digest|^state' ; "$program" inspect "$1" | sed -n '/^history:/,$p' | sed 's/.\{16\}$//'; }

started=$(date +%s%3N)
"$program" train run.ini --checkpoint.path=straight.h5 > straight.log 2>&1 || { cat straight.log; exit 1; }
length=$(($(date +%s%3N) - started))
((length > 2000)) || length=2000
results straight.h5 > straight.txt
done_cycles=0
finished=0
half_written=0
while [ "$done_cycles" -lt "$cycles" ]; do
  rm -f run.h5 run.h5.1
  while true; do
    ranks=$((RANDOM % 4 + 1))
    command=("$program" train run.ini --checkpoint.path=run.h5)
    [ ${#memory[@]} -eq 0 ] || command+=("--data.memory=${memory[RANDOM % ${#memory[@]}]}")
    setsid mpirun --bind-to none -np $ranks "${command[@]}" > run.log 2>&1 &
    job=$!
    moment=$(((RANDOM * 32768 + RANDOM) % length))
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    if kill -0 $job 2>/dev/null; then
      # The ranks first, as an out-of-memory killer would; then the launcher.
      pkill -KILL -s "$job" 2>/dev/null  # setsid: the session is the job's own
      wait $job 2>/dev/null
      done_cycles=$((done_cycles + 1))
      ! compgen -G '.run.h5.tmp-*' > /dev/null || half_written=$((half_written + 1))
      rm -f "$segments"/*
      if [ "$done_cycles" -ge "$cycles" ]; then  # let the last one end
        mpirun --bind-to none -np $ranks "${command[@]}" > run.log 2>&1 || { cat run.log; exit 1; }
        break
      fi
    else
      wait $job; code=$?
      [ $code -eq 0 ] || { echo "exit code $code after $done_cycles kills"; cat run.log; exit 1; }
      break
    fi
  done
  left=$(ls -A | grep -E 'tmp-|lock' || true)
  if [ -n "$left" ]; then echo "after $done_cycles kills these files are left: $left"; exit 1; fi
  results run.h5 > run.txt
  if ! cmp -s straight.txt run.txt; then
    echo "after $done_cycles kills the run differs from the straight run:"; diff straight.txt run.txt; exit 1
  fi
  finished=$((finished + 1))
done
echo "$done_cycles kills, $half_written of them while a checkpoint was written, $finished finished runs, all with the straight run's bits"
