#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Make the root tree of a newer Debian, with its Slurm and with Apptainer, for a second cluster.
# A call for a tree that is being made waits.
# usage: root_tree.sh FOLDER SUITE MIRROR KEYRING APPTAINER_PACKAGE PACKAGE...
set -euo pipefail
folder=$1 suite=$2 mirror=$3 keyring=$4 apptainer=$5
shift 5
packages=$*
mkdir -p "${folder%/*}"
exec 9>"$folder.lock"
flock 9 # whoever else makes it; then it is there
if [ -d "$folder" ]; then exit 0; fi
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
export apptainer

# shellcheck disable=SC2016 # $1 is for the hooks' shell
mmdebstrap --quiet --mode=root --variant=apt --keyring="$keyring" --include="${packages// /,}" \
  --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='cp "$apptainer" "$1/tmp/apptainer.deb"' \
  --customize-hook='chroot "$1" apt-get -qq install -y --no-install-recommends /tmp/apptainer.deb' \
  --customize-hook='rm "$1/tmp/apptainer.deb"' \
  --customize-hook='rm -rf "$1"/var/cache/apt "$1"/var/lib/apt/lists/*' \
  "$suite" "$work/tree" "$mirror"
rm -rf --one-file-system "$work"/tree/dev/*
# What the cluster that uses the tree brings itself.
for file in hosts resolv.conf passwd group subuid subgid; do
  if [ -e "$work/tree/etc/$file" ]; then mv "$work/tree/etc/$file" "$work/tree/etc/$file.dist"; fi
  ln -sfn "/run/cluster/$file" "$work/tree/etc/$file"
done
chmod 755 "$work/tree"
mv -T "$work/tree" "$folder"
