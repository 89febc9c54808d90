#!/usr/bin/env bash
# Kills a run with SIGKILL at random moments and resumes it at random numbers of ranks (1 to 4), until it is finished;
# the result must be the straight run bit for bit, and after every kill the checkpoint and its copy must be whole.
#   tests/fault/kill_and_resume.sh PROGRAM [KILLS=200] [SEED=1] [stream]
# stream: inputs are a gzip-compressed HDF5 file that is read from disk, two times of three, by one node or several virtual
# ones together; the straight runs have them in memory.
# The run is small and writes a checkpoint every second step, in the background, so that most kills meet a write. A kill
# comes at a moment between the start and the length of the straight run. Prints the kills, how many of them left a
# checkpoint half written and at how many ranks, and exits 0 when nothing was lost.
set -u
program=$(readlink -f "${1:?usage: kill_and_resume.sh PROGRAM [KILLS] [SEED] [stream]}")
kills=${2:-200}
RANDOM=${3:-1}
iris=$(readlink -f "$(dirname "$0")/../golden/data/iris.csv")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader  # nothing else is looked for at the start
folder=$(mktemp -d)
segments=$(mktemp -d /dev/shm/nntrain-kills.XXXXXX)  # what Open MPI leaves behind when it is killed
export OMPI_MCA_btl_vader_backing_directory=$segments OMPI_MCA_orte_tmpdir_base=$segments
trap 'rm -rf "$folder" "$segments"' EXIT
cd "$folder" || exit 1
cat > run.ini <<INI
[data]
inputs = $iris
target_columns = species
rows = :120
validation_rows = 120:
[model]
layer = Dense(24, activation="relu")
layer = Dropout(0.2)
layer = BatchNormalization()
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam(learning_rate=0.003)
metrics = accuracy
[fit]
epochs = 8
batch_size = 24
verbose = 2
callback = EarlyStopping(monitor="val_loss", patience=100, restore_best_weights=True)
[checkpoint]
every_steps = 2
[run]
seed = 5
shards = 8
INI

memory=()
if [[ ${4:-} == stream ]]; then
  "$program" convert "$iris" --data.target_columns=species --gzip=1 --output=data.h5 > run.log 2>&1 || { cat run.log; exit 1; }
  sed -i -e 's|^inputs = .*|inputs = data.h5:/inputs\ntargets = data.h5:/targets\nblock_rows = 8|' -e '/^target_columns/d' \
    -e 's|^batch_size.*|&\nshuffle = blocks(window=3)|' run.ini
fi

# compose RANKS PATH: one rank needs no launcher
compose() {
  command=("$program" train run.ini --checkpoint.path="$2")
  ((${#memory[@]} == 0)) || command+=("--data.memory=${memory[RANDOM % ${#memory[@]}]}")
  (($1 == 1)) || command=(mpirun --bind-to none -np "$1" "${command[@]}")
  ((${#memory[@]} == 0)) || command=(env "NNTRAIN_RANKS_PER_NODE=$((RANDOM % $1 + 1))" "${command[@]}")
}
fail() {
  echo "after $done_kills kills: $1"
  tail -n 30 run.log
  cp -a "$folder" "${TMPDIR:-/tmp}/kill_and_resume.failed" && echo "kept in ${TMPDIR:-/tmp}/kill_and_resume.failed"
  exit 1
}
# Everything but the seconds, which may differ.
results() {
  "$program" inspect "$1" > inspected.txt 2>&1 || return 1
  grep -E '^weights_digest|^state' inspected.txt
  sed -n '/^history:/,$p' inspected.txt | sed 's/.\{16\}$//'
}

done_kills=0
declare -A length killed=([1]=0 [2]=0 [3]=0 [4]=0)
for ranks in 1 2 3 4; do
  rm -f straight.h5 straight.h5.1
  started=$(date +%s%3N)
  compose $ranks straight.h5
  "${command[@]}" > run.log 2>&1 || fail "the straight run failed"
  length[$ranks]=$(($(date +%s%3N) - started))
  results straight.h5 > straight.txt || fail "the straight run cannot be read"
  [[ $ranks == 1 ]] || cmp -s straight.txt first.txt || fail "$ranks ranks give other bits than one"
  cp straight.txt first.txt
done
[[ ${4:-} != stream ]] || memory=(stream stream resident)
finished=0
half_written=0
: > run.log
while ((done_kills < kills)); do
  rm -f run.h5 run.h5.1
  while true; do
    ranks=$((RANDOM % 4 + 1))
    compose $ranks run.h5
    ((done_kills < kills)) || { "${command[@]}" > run.log 2>&1 || fail "exit code $?"; break; }  # let the last one end
    setsid "${command[@]}" > run.log 2>&1 &
    job=$!
    moment=$(((RANDOM * 32768 + RANDOM) % ${length[$ranks]}))
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    if ! kill -0 $job 2> /dev/null; then
      wait $job || fail "exit code $?"
      break
    fi
    pkill -KILL -s "$job" 2> /dev/null  # setsid: the session is the job's own
    wait $job 2> /dev/null
    done_kills=$((done_kills + 1))
    killed[$ranks]=$((killed[$ranks] + 1))
    ! compgen -G '.run.h5.tmp-*' > /dev/null || half_written=$((half_written + 1))
    rm -rf "${segments:?}"/*
    ! grep -qiE 'damaged|is whole: the run goes on|not an HDF5 file' run.log || fail "a checkpoint was damaged"
    for file in run.h5 run.h5.1; do
      [[ ! -e $file ]] || "$program" inspect $file > inspected.txt 2>&1 || { cat inspected.txt; fail "$file cannot be read"; }
    done
  done
  left=$(ls -A | grep -E 'tmp-|lock' || true)
  [[ -z $left ]] || fail "these files are left: $left"
  results run.h5 > run.txt || fail "run.h5 cannot be read"
  cmp -s straight.txt run.txt || { diff straight.txt run.txt; fail "the run differs from the straight run"; }
  finished=$((finished + 1))
done
echo "$done_kills kills (${killed[1]}, ${killed[2]}, ${killed[3]}, ${killed[4]} at 1, 2, 3, 4 ranks), $half_written of them while a checkpoint was written, $finished finished runs, all with the straight run's bits; no checkpoint was unreadable"
