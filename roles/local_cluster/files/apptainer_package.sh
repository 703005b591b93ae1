#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Get Apptainer as Debian packages: plain.deb for a system with a recent C library, host.deb for this
# machine. The project's own release is taken where it can be reached; else Debian's package from sid,
# which is given a C library of its own in host.deb when this machine's is too old for it.
# usage: apptainer_package.sh FOLDER MIRROR RELEASE_URL RELEASE_SHA256
set -euo pipefail
folder=$1 mirror=$2 url=$3 sha256=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

from_release() {
  [ -n "$url" ] || return 1
  curl --silent --show-error --fail --location --connect-timeout 3 --max-time 120 -o plain.deb "$url" || return 1
  echo "$sha256  plain.deb" | sha256sum --check --quiet
}

# An apt with folders of its own: nothing is added to this machine's sources. The mirror's copy of sid
# may be past its Valid-Until; its signature is checked all the same.
own_apt() {
  apt-get -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State="$work/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/cache" \
    -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root -qq "$@"
}

from_sid() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p state/lists/partial cache/archives/partial
  echo "deb [signed-by=$keyring] $mirror sid main" >sources.list
  own_apt update
  own_apt download apptainer libc6
  mv apptainer_*.deb plain.deb
  mv libc6_*.deb libc6.deb
}

# needed_libc PACKAGE_FILE : the version of libc6 that it depends on
needed_libc() {
  dpkg-deb -f "$1" Depends | grep -oP 'libc6 \(>= \K[0-9.]+' || echo 0
}

# Put sid's C library beside the programs and make them use it, whatever this machine's own is.
repack() {
  local needed=$1 program libraries interpreter
  dpkg-deb -R plain.deb package
  dpkg-deb -x libc6.deb libc
  libraries=$(dirname "$(find libc/usr/lib -name libc.so.6)")
  local private="/${libraries#libc/}/apptainer/glibc"
  mkdir -p "package$private"
  interpreter=$(basename "$(patchelf --print-interpreter package/usr/bin/apptainer)")
  for library in "$interpreter" libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 libresolv.so.2 librt.so.1 \
    libnss_files.so.2 libnss_dns.so.2; do
    cp -L "$libraries/$library" "package$private/"
  done
  for program in package/usr/bin/apptainer package/"${libraries#libc/}"/apptainer/bin/starter; do
    patchelf --set-interpreter "$private/$interpreter" --force-rpath \
      --set-rpath "$private:/${libraries#libc/}" "$program"
  done
  sed -i -e "/^Depends:/s/libc6 (>= $needed)/libc6/" -e 's/^Version: .*/&~privateglibc/' package/DEBIAN/control
  (cd package && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' -printf '%P\0' |
    xargs -0 md5sum >DEBIAN/md5sums)
  dpkg-deb -Zzstd -z3 --root-owner-group -b package host.deb >/dev/null
}

from_release || from_sid
needed=$(needed_libc plain.deb)
if dpkg --compare-versions "$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)" ge "$needed"; then
  ln plain.deb host.deb
else
  repack "$needed"
fi
chmod 644 plain.deb host.deb
mkdir -p "$folder"
mv plain.deb "$folder/"
mv host.deb "$folder/" # last, as the sign that all is there
