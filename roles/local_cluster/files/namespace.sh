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
mkdir "$tree/run/sshd"
mount --bind "$cluster/tmp" "$tree/tmp"
mount --bind "$cluster/tmp" "$tree/var/tmp"
for file in hosts resolv.conf subuid subgid; do
  if [ -e "/etc/$file" ]; then
    touch "$tree/etc/$file"
    mount --bind "/etc/$file" "$tree/etc/$file"
  fi
done
for file in passwd group; do
  mount --bind "$cluster/conf/$file" "$tree/etc/$file"
done
mount -o remount,ro,bind "$tree"

cd "$tree"
pivot_root . .
umount -l .
cd /
touch "$cluster/run/namespace.ready"
exec sleep infinity
