# shellcheck shell=bash
# A machine of the test's own, for scripts that source it: new namespaces for processes, networks, mounts and the host's
# name. Ports, interfaces, host names and process ids are nobody else's, /dev/shm, /run and $TMPDIR are new, and whatever
# was started ends with the script, even when that is killed. Needs root and the right to make namespaces.
#   enter_sandbox SCRIPT ARGUMENT...   starts the script again, inside; returns when inside. Where namespaces are not
#                                      permitted it says so and returns 1
# Inside, $sandbox is an empty folder, and the host is called $sandbox_host (default: head).
enter_sandbox() {
  local refusal namespaces=(unshare --net --mount --pid --fork --kill-child --mount-proc --uts --ipc)
  if [[ ${NNTRAIN_SANDBOX:-} != inside ]]; then
    refusal=$("${namespaces[@]}" mount -t tmpfs tmpfs /run 2>&1) || {
      echo "${0##*/}: namespaces are not permitted here (${refusal:-unshare failed}); run it as root, outside of a" \
        "container or in one with --privileged" >&2
      return 1
    }
    NNTRAIN_SANDBOX=inside exec "${namespaces[@]}" "$@"
  fi
  unset NNTRAIN_SANDBOX
  trap 'exit 130' INT TERM  # the first process of a namespace gets only the signals that it asks for
  mount -t tmpfs -o mode=0755 tmpfs /run && mount -t tmpfs -o mode=1777 tmpfs /dev/shm && ip link set lo up || {
    echo "${0##*/}: cannot set up namespaces of its own" >&2
    return 1
  }
  sandbox=/run/nntrain
  export TMPDIR=$sandbox/tmp
  mkdir -p /run/netns "$TMPDIR"
  hostname "${sandbox_host:=head}"
  echo "127.0.0.1 localhost $sandbox_host" > /run/etc-hosts
  mount --bind /run/etc-hosts /etc/hosts
}
