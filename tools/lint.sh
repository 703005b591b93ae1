#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Format and lint of everything: Python, Ansible, shell, changelog, licence lines.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
export PATH="$bin:$PATH" ANSIBLE_COLLECTIONS_PATH=$PWD/.collections
# playbooks choose their clusters by the latest run, and the checker's inventory does not have those of yours
AIFACTORY_HOME=$(mktemp -d)
export AIFACTORY_HOME
trap 'rm -rf "$AIFACTORY_HOME"' EXIT

ruff format --check
ruff check
ansible-lint --offline --profile production
antsibull-changelog lint
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
shellcheck "${scripts[@]}"
missing=$(git ls-files -- '*.py' '*.yml' '*.sh' '*.j2' '*.cfg' '*.toml' Makefile .ci/run |
  grep -v -e '^changelogs/changelog.yaml' -e '^recipes/original.yml' -e '\.j2$' |
  while read -r file; do [ ! -s "$file" ] || grep -q 'SPDX-License-Identifier' "$file" || echo "$file"; done)
if [ -n "$missing" ]; then
  echo "no SPDX line:" "$missing" >&2
  exit 1
fi
echo "lint: all clean"
