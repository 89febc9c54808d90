#!/usr/bin/env bash
# Every library that the program is linked with comes with a package that launch/Dockerfile installs in its last stage.
#   tests/install/container_packages.sh PROGRAM
set -u
home=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
program=${1:?usage: container_packages.sh PROGRAM}
installed=$(sed -n '/bookworm-slim/,/rm -rf/p' "$home/launch/Dockerfile" | tr -d '\\' | tr ' ' '\n' | grep -E '^[a-z0-9.+-]+$')
# A package, those that it depends on and so on, as this machine's dpkg knows them.
declare -A needs=() seen=()
while IFS=: read -r package list; do needs[$package]=$list; done < <(
  dpkg-query -W -f='${Package}:${Pre-Depends}, ${Depends}\n' | sed 's/([^)]*)//g; s/:any//g' | tr ',|' '  ')
with_dependencies() {
  local package
  for package in "$@"; do
    [[ -z ${seen[$package]:-} ]] || continue
    seen[$package]=yes
    # shellcheck disable=SC2086
    with_dependencies ${needs[$package]:-}
  done
}
# Debian's slim image has these.
# shellcheck disable=SC2086
with_dependencies apt base-files $installed
failed=0
count=0
while read -r library path; do
  count=$((count + 1))
  # As dpkg knows it: with or without the /usr that /lib leads to.
  real=$(readlink -f "$path")
  owner=$(dpkg -S "$path" "$real" "${real#/usr}" "/usr$path" 2> /dev/null | head -n 1 | cut -d: -f1)
  if [[ -z $owner || -z ${seen[$owner]:-} ]]; then
    echo "FAILED  $library: launch/Dockerfile does not install ${owner:-the package of $path}"
    failed=$((failed + 1))
  fi
done < <(ldd "$program" | awk 'FNR == NR { needed[$5] = 1; next } ("[" $1 "]") in needed { print $1, $3 }' <(readelf -d "$program" | awk '/NEEDED/ { print 1, 2, 3, 4, $5 }') -)
((count > 5)) || { echo "FAILED  only $count libraries were looked at"; failed=1; }
((failed == 0)) && echo "tests/install/container_packages.sh: $count libraries, all there"
exit $((failed > 0))
