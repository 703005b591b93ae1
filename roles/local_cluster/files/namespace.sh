#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Hold a mount namespace whose root is another system's tree. Run it in a new mount namespace; when its
# mounts stand it writes CLUSTER/run/namespace.ready and stays. A chroot would not do: the kernel refuses
# user namespaces, and so Apptainer, to ordinary users inside one.
# usage: namespace.sh TREE CLUSTER BASE
set -euo pipefail
tree=$1 cluster=$2 base=$3

mount --bind "$tree" "$tree"
for shared in /proc /sys /dev /home; do
  mount --rbind "$shared" "$tree$shared"
done
mkdir -p "$tree$base"
mount --rbind "$base" "$tree$base"
mount -t tmpfs -o mode=755 run "$tree/run"
mkdir "$tree/run/sshd" "$tree/run/cluster"
# The tree's hosts, passwd and others are links to here. A folder is mounted, not the files: those are
# replaced when they change, and a mounted file would stay the old one.
mount --bind "$cluster/conf" "$tree/run/cluster"
mount --bind "$cluster/tmp" "$tree/tmp"
mount --bind "$cluster/tmp" "$tree/var/tmp"
mount -o remount,ro,bind "$tree"

cd "$tree"
pivot_root . .
umount -l .
cd /
touch "$cluster/run/namespace.ready"
exec sleep infinity
