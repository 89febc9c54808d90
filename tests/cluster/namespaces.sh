# shellcheck shell=bash
# Hosts on this machine, for scripts that source it: each a network namespace with a host name of its own, whose ranks
# share no memory with another's, joined by a bridge. Open MPI starts its daemons through a launch agent, as it would by
# ssh. Needs root and iproute2, and the right to make namespaces: where it has not, make_hosts fails and says so.
#   make_hosts FOLDER [COUNT=2]   FOLDER/hosts is the host file, FOLDER/private another folder on every host
#   host_name I; pids_of_host I; remove_hosts
prefix=nc$$
bridge=${prefix}b
network=10.78.$(($$ % 250))  # another one for each test that runs at the same time
host_count=0
host_name() { echo "$prefix-$1"; }
pids_of_host() { ip netns pids "$(host_name "$1")" 2> /dev/null; }
remove_hosts() {
  local i
  for ((i = 1; i <= host_count; ++i)); do
    pids_of_host "$i" | xargs -r kill -KILL 2> /dev/null
    ip netns del "$(host_name "$i")" 2> /dev/null
    ip link del "${prefix}v$i" 2> /dev/null
  done
  ip link del "$bridge" 2> /dev/null
}
refuse_hosts() {
  echo "${0##*/}: $1" >&2
  return 1
}
make_hosts() {
  local folder=$1 i
  host_count=${2:-2}
  command -v ip > /dev/null || { refuse_hosts "ip is missing; apt-get install iproute2"; return 1; }
  ip link add "$bridge" type bridge 2> /dev/null || { refuse_hosts "network namespaces are not permitted here; run it as root, outside of a container or with --privileged"; return 1; }
  ip addr add "$network.254/24" dev "$bridge"
  ip link set "$bridge" up
  # /private is another folder on every host: a disk of the host's own.
  mkdir -p "$folder/private"
  : > "$folder/hosts"
  for ((i = 1; i <= host_count; ++i)); do
    ip netns add "$(host_name "$i")" || { refuse_hosts "ip netns add is not permitted here"; return 1; }
    ip link add "${prefix}v$i" type veth peer name eth0 netns "$(host_name "$i")"
    ip link set "${prefix}v$i" master "$bridge" up
    ip -n "$(host_name "$i")" addr add "$network.$i/24" dev eth0
    ip -n "$(host_name "$i")" link set lo up
    ip -n "$(host_name "$i")" link set eth0 up
    mkdir "$folder/disk-$(host_name "$i")"
    echo "$(host_name "$i") slots=2" >> "$folder/hosts"
  done
  cat > "$folder/agent" << AGENT
#!/bin/sh
host=\$1
shift
exec ip netns exec "\$host" unshare --uts --mount sh -c "hostname \$host; mount --bind $folder/disk-\$host $folder/private; \$*"
AGENT
  chmod +x "$folder/agent"
  export OMPI_MCA_plm_rsh_agent=$folder/agent
  export OMPI_MCA_btl_tcp_if_include=$network.0/24 OMPI_MCA_oob_tcp_if_include=$network.0/24
}
