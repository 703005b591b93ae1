#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: make_venv.sh DIR REQUIREMENTS   makes or updates a virtual environment with the newest Python from 3.11 up
set -euo pipefail
venv=$1
requirements=$2

find_python() {
  local python
  for python in python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
  echo "no Python 3.11 or newer was found: install one (Debian 12: apt-get install python3 python3-venv)" >&2
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

python=$(find_python)
if [ ! -x "$venv/bin/python" ]; then
  # Debian splits ensurepip off: without it venv makes an environment that has no pip
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    as_root apt-get update -qq
    as_root apt-get install -y -qq python3-venv
  fi
  "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
