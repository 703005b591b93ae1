#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Say what this machine is and has, as JSON, changing nothing.
# usage: survey.sh DIRECTORY_OF_LOCAL_CLUSTERS CACHE COMMENT "USER..." PACKAGE...
set -euo pipefail
directory=$1 cache=$2 comment=$3
read -ra users <<<"$4"
shift 4

# json_list WORD... : a JSON list of the words, which hold neither quotes nor backslashes
json_list() {
  local list
  list=$(printf '"%s", ' "$@")
  if [ $# -eq 0 ]; then echo '[]'; else echo "[${list%, }]"; fi
}

# The control groups that Slurm can use here: "VERSION MOUNT POINT". Controllers of version 1 may be
# mounted beside an empty tree of version 2; then version 1 is the one that limits anything. A container
# may have them for reading only.
cgroup_kind() {
  local v1
  v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)freezer(,|$)/ { print $2; exit }' /proc/mounts)
  if [ -n "$v1" ] && [ -w "$v1" ]; then
    echo "v1 ${v1%/*}"
  elif [ -z "$v1" ] && [ -w /sys/fs/cgroup/cgroup.subtree_control ]; then
    echo "v2 /sys/fs/cgroup"
  else
    echo "none /"
  fi
}

missing_packages() {
  local installed package
  # dpkg-query complains about, and leaves out, those that it never heard of.
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package} \n' "$@" 2>/dev/null || true)
  for package; do
    case $installed in *"ii $package "*) ;; *) echo "$package" ;; esac
  done
}

missing_users() {
  local user
  for user; do
    getent passwd "$user" >/dev/null || echo "$user"
  done
}

# Running Slurm daemons that are not of a local cluster, as NAME:PID.
foreign_daemons() {
  local process name
  for process in /proc/[0-9]*; do
    # A process may end while it is looked at.
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in slurmctld | slurmd | slurmdbd) ;; *) continue ;; esac
    if ! grep -qsz "^SLURM_CONF=$directory/" "$process/environ"; then
      echo "$name:${process#/proc/}"
    fi
  done
}

foreign_files() {
  local file
  for file in /etc/slurm/slurm.conf /etc/slurm-llnl/slurm.conf; do
    if [ -s "$file" ]; then echo "$file"; fi
  done
}

# links FOLDER : what the links in the folder lead to, without the ending
links() {
  find "$1" -maxdepth 1 -type l -printf '%l\n' 2>/dev/null | sed 's/\.sif$//' || true # no folder yet
}

# shellcheck source=/dev/null
. /etc/os-release
read -r cgroup cgroup_mount <<<"$(cgroup_kind)"
mapfile -t missing < <(missing_packages "$@")
mapfile -t strangers < <(missing_users "${users[@]}")
mapfile -t foreign < <(foreign_files; foreign_daemons)
mapfile -t trees < <(find "$cache" -maxdepth 1 -type d -name '*-*' 2>/dev/null || true) # no cache yet
mapfile -t images < <(links "$directory/images")
hosts=$(awk -v mark="# BEGIN $comment" 'marked { print } { marked = $0 == mark }' /etc/hosts)
version=$(slurmctld -V 2>/dev/null | awk '{ print $2 }' || true) # empty before Slurm is installed
systemd=false
if [ -d /run/systemd/system ]; then systemd=true; fi

cat <<JSON
{
  "distribution": "$ID",
  "codename": "${VERSION_CODENAME:-}",
  "architecture": "$(dpkg --print-architecture)",
  "glibc": "$(getconf GNU_LIBC_VERSION | awk '{ print $2 }')",
  "host": "$(hostname -s)",
  "systemd": $systemd,
  "cgroup": "$cgroup",
  "cgroup_mount": "$cgroup_mount",
  "slurm_version": "$version",
  "missing_packages": $(json_list "${missing[@]}"),
  "missing_users": $(json_list "${strangers[@]}"),
  "hosts": "$hosts",
  "foreign": $(json_list "${foreign[@]}"),
  "apptainer": "$(command -v apptainer || true)",
  "trees": $(json_list "${trees[@]}"),
  "images": $(json_list "${images[@]}"),
  "fuse_mode": "$(stat -c %a /dev/fuse 2>/dev/null || true)"
}
JSON
