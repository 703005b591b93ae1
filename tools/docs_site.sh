#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the documentation site in build/site: docs/ as it is, docs/site/ for the order, and pages of the modules, plugins
# and roles out of the code. Needs .venv and the collection path (make setup-dev); no network once its tools are installed,
# in DOCS_VENV (build/docs-venv).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${DOCS_VENV:-build/docs-venv}
source=build/docs-source
export PATH=$PWD/.venv/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.collections

mkdir -p build
if ! cmp -s docs/site/requirements.txt "$venv/.installed"; then
  tools/make_venv.sh "$venv" docs/site/requirements.txt
  cp docs/site/requirements.txt "$venv/.installed"
fi

rm -rf "$source" build/site
.venv/bin/python docs/site/assemble.py "$source"
mkdir "$source/collection"
# ansible-doc is asked by it; what it finds wrong in the code's documentation is an error
"$venv/bin/antsibull-docs" collection --use-current --squash-hierarchy --fail-on-error \
  --dest-dir "$source/collection" aifactory.benchmark
# the theme shows the contents of a page beside it
sed -i '/^\.\. contents::/,/^$/d' "$source"/collection/*.rst
"$venv/bin/python" -m sphinx -b html -W --keep-going -q -j auto -c docs/site -d build/docs-doctrees "$source" build/site
echo "docs: build/site/index.html"
