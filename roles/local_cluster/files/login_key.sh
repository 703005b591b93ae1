#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Make a key pair for logging in to the local cluster, unless it is there; print "created" or
# "there", and the public key.
# usage: login_key.sh FOLDER
set -euo pipefail
key=$1/id_ed25519
outcome=there
umask 077
mkdir -p "$1"
if [ ! -s "$key" ]; then
  ssh-keygen -q -t ed25519 -N '' -C 'local Slurm cluster' -f "$key"
  outcome=created
fi
echo "$outcome"
cat "$key.pub"
