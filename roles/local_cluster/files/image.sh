#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Build a container image from the distribution's packages, or take it from the cache, and put it where
# jobs find it: FOLDER/NAME.sif, a link to FOLDER/ID.sif. A call for an image that is being built waits.
# usage: image.sh FOLDER CACHE_FOLDER ID NAME
# environment: MIRROR SUITE COMPONENTS KEYRING; PACKAGES; IMAGE_PATH (folders for PATH, globs allowed),
#   PRUNE (globs of files to leave out), RUNSCRIPT
set -euo pipefail
folder=$1 cached=$2/$3.sif id=$3 name=$4
export APPTAINER_DROP_CAPS=CAP_SYS_RESOURCE # root may lack it, which Apptainer takes for an error

# make_tree TREE : without what a container never reads. /dev is emptied when nothing is mounted there
# any more: it is the container's runtime that fills it.
# shellcheck disable=SC2016 # $1 is for the hooks' shell
make_tree() {
  mmdebstrap --quiet --mode=root --variant=minbase --components="$COMPONENTS" --keyring="$KEYRING" \
    --include="${PACKAGES// /,}" \
    --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
    --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='rm -rf "$1"/var/cache/apt "$1"/var/lib/apt/lists/*' \
    "$SUITE" "$1" "$MIRROR"
  rm -rf --one-file-system "${1:?}"/dev/*
  touch "$1/etc/hosts" "$1/etc/resolv.conf" # for the host's own to be mounted on
}

# The globs are the tree's, so this machine's shell must not expand them first: they are read into arrays.

# prune TREE : remove the files that PRUNE names
prune() {
  local pattern patterns
  read -ra patterns <<<"$PRUNE"
  for pattern in "${patterns[@]}"; do
    find "$1" -path "$1$pattern" -prune -exec rm -rf {} +
  done
}

# search_path TREE : the folders of IMAGE_PATH that exist in the tree, then the usual ones
search_path() {
  local pattern patterns found usual=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  read -ra patterns <<<"$IMAGE_PATH"
  for pattern in "${patterns[@]}"; do
    for found in "$1"$pattern; do
      if [ -d "$found" ]; then printf '%s:' "${found#"$1"}"; fi
    done
  done
  echo "$usual"
}

build() {
  local work
  work=$(mktemp -d "$1.XXXXXX")
  # shellcheck disable=SC2064 # the folder of now
  trap "rm -rf '$work'" EXIT
  make_tree "$work/tree"
  prune "$work/tree"
  cat >"$work/image.def" <<DEFINITION
Bootstrap: localimage
From: $work/tree

%environment
    export PATH=$(search_path "$work/tree")
    export LC_ALL=C.UTF-8

%runscript
    $RUNSCRIPT
DEFINITION
  APPTAINER_TMPDIR=$work apptainer -q build --mksquashfs-args '-comp zstd -Xcompression-level 1' \
    "$work/image.sif" "$work/image.def" >&2
  chmod 644 "$work/image.sif"
  mv "$work/image.sif" "$1"
}

mkdir -p "$folder" "$2"
exec 9>"$cached.lock"
flock 9 # whoever else builds it; then it is there
if [ ! -s "$cached" ]; then build "$cached"; fi
ln -f "$cached" "$folder/$id.sif" 2>/dev/null || cp "$cached" "$folder/$id.sif" # another file system
ln -sfn "$id.sif" "$folder/$name.sif"
find "$folder" -type f -name "$name-????????????.sif" ! -name "$id.sif" -delete # earlier ones
