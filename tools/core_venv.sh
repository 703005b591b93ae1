#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: core_venv.sh VERSION    prints the path of a virtual environment with that ansible-core (2.16), made once
set -euo pipefail
version=$1
cache=${AIFACTORY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aifactory-tests}

# pyenv's shims answer only for the versions that are chosen
for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
  [ -d "$folder" ] && PATH=$folder:$PATH
done
export PATH
case $version in
  2.16 | 2.19) python=${PYTHON311:-python3.11} ;;
  *) python=${PYTHON312:-python3.12} ;;
esac
command -v "$python" >/dev/null || {
  echo "ansible-core $version needs $(basename "$python"), which is not installed" >&2
  exit 1
}
venv=$cache/core-$version
if [ ! -e "$venv/.ready" ]; then
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check "ansible-core==$version.*" >&2
  touch "$venv/.ready"
fi
echo "$venv"
