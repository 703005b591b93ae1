#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: import_build.sh [TARBALL]   has galaxy-importer judge the tarball (by default one that it builds), and installs it
# into an empty place to see that it starts.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
mkdir -p build
work=$(mktemp -d build/import.XXXXXX)
trap 'rm -rf "$work"' EXIT

if [ -n "${1:-}" ]; then
  cp "$1" "$work"
else
  "$bin/ansible-galaxy" collection build --force --output-path "$work" >/dev/null
fi
tarball=$(echo "$PWD/$work"/aifactory-benchmark-*.tar.gz)
(
  cd "$work"
  printf '[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = False\n' >importer.cfg
  PATH="$bin:$PATH" GALAXY_IMPORTER_CONFIG=$PWD/importer.cfg \
    "$bin/python" -m galaxy_importer.main "$tarball" >importer.log 2>&1 || {
    cat importer.log
    exit 1
  }
  if grep -E '^(ERROR|CRITICAL)' importer.log; then exit 1; fi
)
# installed, away from the checkout, it finds its own recipes
mkdir "$work/empty"
(
  cd "$work/empty"
  unset ANSIBLE_CONFIG
  export ANSIBLE_COLLECTIONS_PATH=$PWD/installed
  "$bin/ansible-galaxy" collection install "$tarball" -p "$ANSIBLE_COLLECTIONS_PATH" >/dev/null
  if ! "$bin/ansible-playbook" aifactory.benchmark.validate -e recipe=quickstart -i localhost, >validate.log 2>&1 ||
    ! grep -q 'quickstart.yml: valid' validate.log; then
    cat validate.log
    exit 1
  fi
)
echo "import: the tarball is accepted, and works where it is installed"
