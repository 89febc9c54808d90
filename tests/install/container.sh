#!/usr/bin/env bash
# launch/Dockerfile as podman builds it, on a Debian made here (no registry is asked), and runs in the container: with
# mpirun inside it, and with mpirun outside that starts one container a rank (charliecloud), as launch/nntrain.def does.
#   tests/install/container.sh PROGRAM           only the last stage: PROGRAM as the first would have built it
#   tests/install/container.sh PROGRAM --whole   both stages: installs and compiles in the container, too
# PROGRAM says what bits are expected. Needs root, podman, debootstrap and charliecloud-runtime; some minutes, the packages
# of Debian, 3 GB below /var/tmp, nothing of which stays. Not a default test.
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
source "$home/tests/cluster/checks.sh"
source "$home/tests/install/debian_root.sh"
program=$(readlink -f "${1:?usage: container.sh PROGRAM [--whole]}")
[[ $EUID -eq 0 ]] || { echo "container.sh: needs root, for debootstrap" >&2; exit 1; }
for command in podman debootstrap ch-run; do
  command -v $command > /dev/null || {
    echo "container.sh: $command is missing; apt-get install --no-install-recommends podman debootstrap charliecloud-runtime" >&2
    exit 1
  }
done
# Mounts and processes that go with the script.
if [[ ${NNTRAIN_CONTAINER:-} != inside ]]; then
  NNTRAIN_CONTAINER=inside exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$@"
fi
# crun refuses hosts with both kinds of cgroups, though no container here is given any.
[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=1777 tmpfs /dev/shm  # podman leaves a lock there
folder=$(mktemp -d /var/tmp/nntrain-container.XXXXXX)
mkdir "$folder"/{storage,run,work,context}
clean() {
  podman_here rm --all --force > /dev/null 2>&1
  awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount --lazy
  rm -rf --one-file-system "$folder"
}
trap clean EXIT
# Everything of its own: images, state, and no cgroups, which a container that this runs in may not permit.
podman_here() { podman --root "$folder/storage" --runroot "$folder/run" --storage-driver=vfs --events-backend=none "$@"; }
failed=0
show_failure() { tail -n 15 "$folder/log"; }

make_debian "$folder/debian" || exit 1
copy_apt_settings "$folder/debian"
tar -C "$folder/debian" -cf - . | podman_here import - localhost/debian:bookworm > "$folder/log" 2>&1 &&
  podman_here tag localhost/debian:bookworm localhost/debian:bookworm-slim
passes "a Debian as an image" [ $? -eq 0 ]
build=(build --isolation=chroot --network=host --pull=never --tag nntrain-dist)
for name in http_proxy https_proxy no_proxy; do [[ -z ${!name:-} ]] || build+=(--env "$name=${!name}"); done
if [[ ${2:-} == --whole ]]; then
  podman_here "${build[@]}" -f "$home/launch/Dockerfile" "$home" > "$folder/log" 2>&1
  passes "launch/Dockerfile, both stages" [ $? -eq 0 ]
else
  mkdir -p "$folder/context"/{build/release,launch}
  cp "$program" "$folder/context/build/release/nntrain-dist"
  cp "$home/launch/supervise.sh" "$folder/context/launch/"
  # The first stage as if it had built: sources and program under /source.
  awk '/^FROM .* AS build/ { print "FROM scratch AS build\nCOPY . /source"; skips = 1; next } /^FROM/ { skips = 0 } !skips' \
    "$home/launch/Dockerfile" > "$folder/Dockerfile"
  podman_here "${build[@]}" -f "$folder/Dockerfile" "$folder/context" > "$folder/log" 2>&1
  passes "launch/Dockerfile, its last stage" [ $? -eq 0 ]
fi

cd "$folder/work" || exit 1
cp "$home/configs/data/iris.csv" .
cat > run.ini << 'INI'
[data]
inputs = iris.csv
target_columns = species
[model]
layer = Dense(8, activation="relu")
layer = Dense(3, activation="softmax")
[compile]
loss = sparse_categorical_crossentropy
optimizer = Adam()
[fit]
epochs = 3
batch_size = 8
INI
"$program" train run.ini --checkpoint.path=outside.h5 > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
in_container() { podman_here run --rm --cgroups=disabled --network=host --shm-size=256m -v "$PWD:/work" localhost/nntrain-dist "$@" > "$folder/log" 2>&1; }
trains_in_container() {
  local what=$1 checkpoint=$2
  shift 2
  "$@"
  passes "$what" [ $? -eq 0 ]
  passes "$what: the bits of outside" same_bits "$checkpoint" outside.h5
}
in_container
passes "the container shows its help" grep -q '^nntrain-dist' "$folder/log"
trains_in_container "mpirun -np 2 in the container" run.h5 in_container mpirun -np 2 nntrain-dist train run.ini
passes "mpirun -np 2 in the container: shared memory" test "$(grep -c 'NOTE.*shared\|complain\|WARNING' "$folder/log")" = 0
trains_in_container "supervise.sh in the container" supervised.h5 \
  in_container nntrain-supervise --launcher='mpirun -np 2' run.ini --checkpoint.path=supervised.h5
in_container mpirun -np 2 nntrain-dist train run.ini --compile.loss=mse --checkpoint.path=bad.h5
passes "an error is an exit code of the container" [ $? -eq 2 ]

# mpirun of the host, one container a rank.
podman_here create --name image localhost/nntrain-dist > /dev/null
mkdir "$folder/image"
podman_here export image | tar -C "$folder/image" -xf -
mkdir -p "$folder/image/work"
outside_mpirun() {
  USER=${USER:-root} OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_plm=isolated \
    mpirun -np 2 --bind-to none ch-run --bind "$PWD:/work" --cd /work "$folder/image" -- nntrain-dist train run.ini \
    --checkpoint.path=each.h5 > "$folder/log" 2>&1
}
trains_in_container "mpirun outside, a container a rank" each.h5 outside_mpirun
passes "mpirun outside: two ranks" grep -q '^2 ranks on 1 node' "$folder/log"
((failed == 0)) && echo "tests/install/container.sh: all passed"
exit $((failed > 0))
