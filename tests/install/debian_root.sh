# shellcheck shell=bash
# A minimal Debian 12 in a folder, for scripts that source it; needs root, debootstrap and the network.
#   make_debian ROOT          debootstrap, from the mirror that this machine uses
#   copy_apt_settings ROOT    its apt fetches packages as this machine's does

# The mirror that this machine takes Debian 12 from, when it is one; else debootstrap's own default.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Release: bookworm' 2> /dev/null | sed -n 1p
}

make_debian() {
  local root=$1 uri
  uri=$(mirror)
  debootstrap --variant=minbase bookworm "$root" ${uri:+"$uri"} > "$root.log" || { tail -n 3 "$root.log" >&2; return 1; }
  rm -f "$root.log"
}

copy_apt_settings() {
  local root=$1 name
  rm -f "$root/etc/apt/sources.list"  # debootstrap's; this machine's take its place
  for name in sources.list sources.list.d auth.conf auth.conf.d trusted.gpg trusted.gpg.d keyrings; do
    if [[ -e /etc/apt/$name ]]; then cp -a "/etc/apt/$name" "$root/etc/apt/"; fi
  done
  # Only how to fetch; hooks belong to programs that are not there.
  apt-config dump | grep '^Acquire::' > "$root/etc/apt/apt.conf.d/90acquire" || true
  cp -an /usr/share/keyrings/. "$root/usr/share/keyrings/"
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    mkdir -p "$root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}
