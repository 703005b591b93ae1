#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Make a key pair for logging in to the local cluster, unless it is there; print "created" or
# "there", and the public key.
# usage: login_key.sh FOLDER make|check     (check makes nothing)
set -euo pipefail
key=$1/id_ed25519
outcome=there
if [ ! -s "$key" ]; then
  outcome=created
fi
if [ "$outcome" = created ] && [ "$2" = make ]; then
  umask 077
  mkdir -p "$1"
  ssh-keygen -q -t ed25519 -N '' -C 'local Slurm cluster' -f "$key"
fi
echo "$outcome"
if [ -s "$key.pub" ]; then cat "$key.pub"; else echo 'not made yet'; fi
