#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The vector databases that the tests use and that pip has, each in an environment of its own outside the checkout.
# Nothing happens where they are; one is made again when other versions are wanted.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${AIFACTORY_PEERS:-$HOME/.cache/aifactory-peers}

# NAME REQUIREMENT...
environment() {
  local folder=$peers/$1 wanted="${*:2}"
  [ "$(cat "$folder/installed" 2>/dev/null)" != "$wanted" ] || return 0
  rm -rf "$folder"
  mkdir -p "$peers"
  .venv/bin/python -m venv "$folder"
  "$folder/bin/pip" install -qq --disable-pip-version-check "${@:2}"
  printf '%s\n' "$wanted" >"$folder/installed"
}

environment chroma chromadb==1.5.9
environment faiss faiss-cpu==1.15.1 numpy==2.4.6
environment milvus milvus==2.3.5 'setuptools<81' # its start program needs pkg_resources
environment pgvector pgserver==0.1.4
