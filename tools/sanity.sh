#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: sanity.sh [VERSION ...]    ansible-test sanity on each ansible-core (default: 2.16 2.19 2.21)
# Works on a copy of what git knows, laid out as ansible-test wants it; environments are kept in a cache.
set -euo pipefail
cd "$(dirname "$0")/.."
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(2.16 2.19 2.21)

# pyenv's shims answer only for the versions that are chosen, and ansible-test keeps no choice: name the Pythons themselves,
# so that what travels is tried on each
for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
  [ -d "$folder" ] && PATH=$folder:$PATH
done
export PATH

# What is published: pytest runs the other tests on the controller's Python, ansible-test would compile them for Python 3.6.
copy_tree() {
  local root=$1
  rm -rf "$root"
  mkdir -p "$root"
  git ls-files -z --cached --others --exclude-standard -- . ':!tests/unit' ':!tests/integration' ':!tests/faults' ':!tests/bench' ':!tests/e2e' \
    ':!tests/look' |
    tar --null --files-from=- -cf - | tar -xf - -C "$root"
}

for version in "${versions[@]}"; do
  echo "== ansible-test sanity, ansible-core $version"
  venv=$(tools/core_venv.sh "$version")
  "$venv/bin/python" tools/cache_get_pip.py "$venv"
  root=$PWD/build/sanity-$version/ansible_collections/aifactory/benchmark
  copy_tree "$root"
  (
    cd "$root"
    git init -q . && git add -A
    PATH="$venv/bin:$PATH" ansible-test sanity --color no
  )
  rm -rf "$PWD/build/sanity-$version"
done
echo "sanity: all clean"
