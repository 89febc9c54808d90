#!/bin/bash
# The two commands on a machine that has nothing: makes a minimal Debian 12 with debootstrap and runs them in it,
#   as a plain user without sudo (must say what is missing, and stop),
#   as root (must install it), a second time (must change nothing),
#   and as the plain user again, now that the packages are there, and once more without those that are only wanted.
# Needs root, debootstrap and the network. Takes some 15 minutes on two cores; not a default test.
#
#   tests/install/fresh_debian.sh [--keep] [FOLDER]     default: a new folder below /var/tmp, removed at the end
#
# The Debian gets this machine's package sources, apt's Acquire settings, proxies and certificates, and a /dev/shm of
# 64 MB as Docker gives. Mounts live in a namespace of their own and go with it, however the script ends.
set -euo pipefail
source_tree=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..
source "$source_tree/tests/install/debian_root.sh"

fail() {
  echo "fresh_debian.sh: $*" >&2
  exit 1
}

keep=no
if [[ ${1:-} == --keep ]]; then
  keep=yes
  shift
fi
[[ $EUID -eq 0 ]] || fail "needs root, for debootstrap and chroot"
command -v debootstrap > /dev/null || fail "needs debootstrap (apt-get install debootstrap)"
if [[ ${NNTRAIN_FRESH_DEBIAN:-} != inside ]]; then
  export NNTRAIN_FRESH_DEBIAN=inside
  options=()
  [[ $keep == no ]] || options=(--keep)
  exec unshare --mount --propagation private "$0" "${options[@]}" "$@"
fi

made=no
if [[ -z ${1:-} ]]; then
  root=$(mktemp -d /var/tmp/fresh_debian.XXXXXX)
  made=yes
else
  root=$(readlink -f "$1")
fi

cleanup() {
  local folder
  for folder in dev/shm dev sys proc; do
    if mountpoint -q "$root/$folder"; then umount --recursive --lazy "$root/$folder"; fi
  done
  if [[ $made == yes && $keep == no ]]; then rm -rf --one-file-system "$root"; else echo "Kept: $root"; fi
}
trap cleanup EXIT

step() { printf '\n######## %s\n' "$*"; }

mount_kernel_folders() {
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mkdir -p "$root/dev/shm"
  mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/dev/shm"
}

# copy_tree USER FOLDER: the sources as a new user has them, without what was built or trained here.
copy_tree() {
  local target=$root$2
  rm -rf "$target"
  mkdir -p "$target"
  tar -C "$source_tree" --exclude=./build --exclude=./runs --exclude=./.git -cf - . | tar -C "$target" -xf -
  chroot "$root" chown -R "$1:" "$2"
}

# inside USER FOLDER COMMAND...: with a clean environment, as after a login.
inside() {
  local user=$1 folder=$2 home=/root name environment
  shift 2
  [[ $user == root ]] || home=/home/$user
  environment=(HOME="$home" USER="$user" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || environment+=("$name=${!name}")
  done
  chroot --userspec="$user" --groups="$user" "$root" env -i "${environment[@]}" bash -c 'cd "$0" && exec "$@"' "$folder" "$@"
}

# check_quickstart LOG: it trained, and as well as Keras does.
check_quickstart() {
  local accuracy
  accuracy=$(sed -n 's/^Test accuracy: \([0-9.]*\)$/\1/p' "$1")
  [[ -n $accuracy ]] || fail "quickstart.sh printed no test accuracy"
  awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.877 && a <= 0.91) }' ||
    fail "test accuracy $accuracy is not between 0.877 and 0.91"
}

check_tests() {
  [[ $(tail -n 1 "$1") =~ ^[1-9][0-9]*\ passed,\ 0\ failed$ ]] || fail "test.sh ended with: $(tail -n 1 "$1")"
}

# logged COMMAND...: on the screen and in $log
logged() { "$@" 2>&1 | tee "$log"; }

# timed NAME COMMAND...
timed() {
  local name=$1 start=$SECONDS
  shift
  "$@"
  times+="$(printf '%6d s  %s' $((SECONDS - start)) "$name")"$'\n'
}
times=

log=$root/tmp/fresh_debian.log
user=ada
tree=/root/nntrain-dist
user_tree=/home/$user/nntrain-dist

if [[ ! -e $root/etc/debian_version ]]; then
  step "debootstrap into $root"
  timed debootstrap make_debian "$root" || fail "debootstrap failed"
fi
copy_apt_settings "$root"
mount_kernel_folders
chroot "$root" id "$user" > /dev/null 2>&1 || chroot "$root" useradd --create-home --shell /bin/bash "$user"
copy_tree root "$tree"
copy_tree "$user" "$user_tree"
if chroot "$root" bash -c 'command -v sudo' > /dev/null; then fail "sudo is there; this is no minimal Debian"; fi

if ! chroot "$root" dpkg-query -W openmpi-bin > /dev/null 2>&1; then
  step "quickstart.sh as $user, packages missing, no sudo: must stop and say so"
  if inside "$user" "$user_tree" launch/quickstart.sh > "$log" 2>&1; then fail "it went on without packages"; fi
  cat "$log"
  grep -q 'apt-get install --no-install-recommends .*openmpi-bin' "$log" || fail "it did not say what to install"
fi

step "quickstart.sh as root"
timed "root: packages" inside root "$tree" launch/install.sh
timed "root: quickstart.sh" logged inside root "$tree" launch/quickstart.sh
check_quickstart "$log"

step "quickstart.sh as root again: a finished run stays as it is"
before=$(sha256sum < "$root$tree/runs/fashion_mnist.h5")
timed "root: quickstart.sh again" logged inside root "$tree" launch/quickstart.sh
check_quickstart "$log"
[[ $(sha256sum < "$root$tree/runs/fashion_mnist.h5") == "$before" ]] || fail "the finished run was changed"

step "test.sh as root"
timed "root: test.sh" logged inside root "$tree" launch/test.sh
check_tests "$log"

step "both as $user, packages there, no sudo"
timed "$user: quickstart.sh" logged inside "$user" "$user_tree" launch/quickstart.sh
check_quickstart "$log"
timed "$user: .ci/run" logged inside "$user" "$user_tree" .ci/run
check_tests "$log"

step "quickstart.sh as $user without ninja, gnuplot, oneDNN and GoogleTest"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge ninja-build gnuplot-nox libdnnl-dev libgtest-dev > "$root.log"
rm -f "$root.log"
copy_tree "$user" "$user_tree"
timed "$user: quickstart.sh with make" logged inside "$user" "$user_tree" launch/quickstart.sh
check_quickstart "$log"
grep -q 'NOTE: without ninja-build' "$log" || fail "it did not say that there is no ninja"
[[ -e $root$user_tree/build/release/Makefile ]] || fail "it was not built by make"

step "Times"
printf '%s' "$times"
echo "fresh Debian: passed"
