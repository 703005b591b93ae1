#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Build a container image from the distribution's packages, or take it from the cache, and put it where
# jobs find it: FOLDER/NAME.sif, a link to FOLDER/ID.sif. Images are built one after another: a call waits
# for the one that is being built.
# usage: image.sh FOLDER CACHE_FOLDER ID NAME [PATH_IN_IMAGE FILE]...
# environment: MIRROR SUITE COMPONENTS KEYRING; PACKAGES; PYTHON_PACKAGES (for pip, into /opt/venv);
#   IMAGE_PATH (folders for PATH, globs allowed), PRUNE (globs of files to leave out), POST (commands for the
#   image when all of this is done), RUNSCRIPT;
#   PIP_* and *_proxy as pip_settings.py found them
set -euo pipefail
folder=$1 cached=$2/$3.sif id=$3 name=$4
files=("${@:5}")
export APPTAINER_DROP_CAPS=CAP_SYS_RESOURCE # root may lack it, which Apptainer takes for an error

# make_tree TREE : without what a container never reads. /dev is emptied when nothing is mounted there
# any more: it is the container's runtime that fills it. A mirror's copy of sid may be past its Valid-Until;
# its signature is checked all the same.
# shellcheck disable=SC2016 # $1 is for the hooks' shell
make_tree() {
  local include=${PACKAGES// /,}
  if [ -n "$PYTHON_PACKAGES" ]; then include+=,python3-venv; fi
  mmdebstrap --quiet --mode=root --variant=minbase --components="$COMPONENTS" --keyring="$KEYRING" \
    --include="$include" \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
    --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='rm -rf "$1"/var/cache/apt "$1"/var/lib/apt/lists/*' \
    "$SUITE" "$1" "$MIRROR"
  rm -rf --one-file-system "${1:?}"/dev/*
  touch "$1/etc/hosts" "$1/etc/resolv.conf" # for the host's own to be mounted on
}

# mount_at TREE PATH RECORD : this machine's PATH in the tree, for reading; RECORD gets what has to be made there
mount_at() {
  local parent=$2
  if [ ! -d "$2" ]; then parent=${2%/*}; fi
  LC_ALL=C mkdir -pv "$1$parent" | sed -n "s/^mkdir: created directory '\(.*\)'$/\1/p" >>"$3"
  if [ ! -e "$1$2" ]; then touch "$1$2" && echo "$1$2" >>"$3"; fi
  mount --rbind "$2" "$1$2"
  mount -o remount,bind,ro "$1$2"
}

# pip_files : this machine's files and folders that the settings of pip name. An index in a folder has links
# to its neighbours.
pip_files() {
  local setting word
  for setting in $(compgen -e PIP_); do
    for word in ${!setting}; do
      case $word in file:///*) word=${word#file://} && word=${word%/} && word=${word%/*} ;; esac
      case $word in /*) if [ -e "$word" ]; then echo "$word"; fi ;; esac
    done
  done | sort -u
}

# chroot_pip TREE RECORD : run in a mount namespace of its own, so that nothing stays mounted
chroot_pip() {
  local path settings wanted
  mount --rbind /dev "$1/dev"
  mount -t proc proc "$1/proc"
  for path in /etc/resolv.conf /etc/hosts $(pip_files); do mount_at "$1" "$path" "$2"; done
  mapfile -t settings < <(env | grep -E '^(PIP_[A-Z_]+|[a-z]+_proxy)=')
  settings+=(PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root)
  # Packages of the distribution are seen from the environment: python3-numpy need not come twice.
  env -i "${settings[@]}" chroot "$1" python3 -m venv --system-site-packages /opt/venv
  read -ra wanted <<<"$PYTHON_PACKAGES" # NAME[EXTRA] is no pattern of this machine's files
  env -i "${settings[@]}" chroot "$1" /opt/venv/bin/python -m pip install --quiet --no-cache-dir "${wanted[@]}" >&2
}

# install_python TREE : the Python packages, from where this machine's pip takes them. What tells pip so is
# there while it runs, and then no more.
install_python() {
  local record=$1.mounted
  if [ -z "$PYTHON_PACKAGES" ]; then return; fi
  export -f mount_at pip_files chroot_pip
  unshare --mount --propagation private bash -euo pipefail -c 'chroot_pip "$@"' - "$1" "$record" </dev/null
  tac "$record" | xargs -r -d '\n' -I{} find {} -maxdepth 0 -empty -delete
}

# add_files TREE : the files of this machine that belong into the image
add_files() {
  local at mode
  for ((at = 0; at < ${#files[@]}; at += 2)); do
    mode=644
    if [ -x "${files[at + 1]}" ]; then mode=755; fi
    install -D -m "$mode" "${files[at + 1]}" "$1${files[at]}"
  done
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

# search_path TREE : the folders of IMAGE_PATH and of the Python packages that exist in the tree, then the usual ones
search_path() {
  local pattern patterns found usual=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  read -ra patterns <<<"$IMAGE_PATH /opt/venv/bin"
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
  install_python "$work/tree"
  add_files "$work/tree"
  prune "$work/tree"
  cat >"$work/image.def" <<DEFINITION
Bootstrap: localimage
From: $work/tree

%environment
    export PATH=$(search_path "$work/tree")
    export LC_ALL=C.UTF-8

$(if [ -n "$POST" ]; then printf '%%post\n%s\n' "$POST"; fi)

%runscript
    $RUNSCRIPT
DEFINITION
  APPTAINER_TMPDIR=$work apptainer -q build --mksquashfs-args '-comp zstd -Xcompression-level 1' \
    "$work/image.sif" "$work/image.def" >&2
  chmod 644 "$work/image.sif"
  mv "$work/image.sif" "$1"
}

mkdir -p "$folder" "$2"
if [ ! -s "$cached" ]; then
  exec 9>"$2/lock"
  flock 9 # whoever else builds; then it may be there
  if [ ! -s "$cached" ]; then build "$cached"; fi
fi
ln -f "$cached" "$folder/$id.sif" 2>/dev/null || cp "$cached" "$folder/$id.sif" # another file system
ln -sfn "$id.sif" "$folder/$name.sif"
find "$folder" -type f -name "$name-????????????.sif" ! -name "$id.sif" -delete # earlier ones
