# shellcheck shell=bash
# Several hosts on this machine, for scripts that source it inside of sandbox.sh: each a network namespace with a host
# name of its own, whose ranks share no memory with another's, joined by a bridge. Open MPI starts its daemons through a
# launch agent, as it would by ssh.
#   make_hosts FOLDER [COUNT=2]   FOLDER/hosts is the host file; FOLDER/private is another folder on every host, and
#                                 FOLDER/disk-HOST the same as others see it
#   pids_of_host HOST             host names are node1, node2, ...
network=10.78.0
pids_of_host() { ip netns pids "$1" 2> /dev/null; }
make_hosts() {
  local folder=$1 count=${2:-2} i host
  command -v ip > /dev/null || { echo "${0##*/}: ip is missing; apt-get install iproute2" >&2; return 1; }
  ip link add bridge0 type bridge || { echo "${0##*/}: this kernel has no network bridges" >&2; return 1; }
  ip addr add "$network.254/24" dev bridge0
  ip link set bridge0 up
  mkdir -p "$folder/private"
  : > "$folder/hosts"
  for ((i = 1; i <= count; ++i)); do
    host=node$i
    ip netns add "$host" && ip link add "cable$i" type veth peer name eth0 netns "$host" || return 1
    ip link set "cable$i" master bridge0 up
    ip -n "$host" addr add "$network.$i/24" dev eth0
    ip -n "$host" link set lo up
    ip -n "$host" link set eth0 up
    mkdir "$folder/disk-$host"
    echo "$host slots=2" >> "$folder/hosts"
    echo "$network.$i $host" >> /etc/hosts
  done
  cat > "$folder/agent" << AGENT
#!/bin/sh
host=\$1
shift
exec ip netns exec "\$host" unshare --uts --mount sh -c "hostname \$host; mount --bind $folder/disk-\$host $folder/private; \$*"
AGENT
  chmod +x "$folder/agent"
  export OMPI_MCA_plm_rsh_agent=$folder/agent
  unset OMPI_MCA_plm  # that no other host is there
  export OMPI_MCA_btl_tcp_if_include=$network.0/24 OMPI_MCA_oob_tcp_if_include=$network.0/24
}
