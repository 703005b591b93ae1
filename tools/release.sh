#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: release.sh [VERSION]   all files of a release in dist/release-VERSION, made of the last commit; nothing is published,
# and neither the checkout nor git is changed. VERSION: galaxy.yml's. GPG_KEY=ID signs the files with this key of gpg's.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bin=$root/.venv/bin
version=$("$bin/python" tools/release_version.py "${1:-}")
name=aifactory-benchmark-$version
out=$root/dist/release-$version
[ -z "$(git status --porcelain)" ] || echo "release: what is not committed is not in it" >&2

mkdir -p build "$root/dist"
work=$(mktemp -d "$root/build/release.XXXXXX")
trap 'rm -rf "$work"' EXIT
# laid out like the checkout: ansible-doc finds no role where a collection path is a link into another one
tree=$work/tree
mkdir -p "$tree/build" "$tree/.collections/ansible_collections/aifactory" "$work/out"
ln -s ../../.. "$tree/.collections/ansible_collections/aifactory/benchmark"
git archive HEAD | tar -x -C "$tree"
ln -s "$root/.venv" "$tree/.venv"

# the changelog as it will be: fragments become a release, new modules are listed
(
  cd "$tree"
  export PATH="$bin:$PATH" ANSIBLE_COLLECTIONS_PATH=$tree/.collections
  sed -i "s/^version: .*/version: $version/" galaxy.yml
  if compgen -G 'changelogs/fragments/*.y*ml' >/dev/null; then
    antsibull-changelog release --version "$version" --date "$(git -C "$root" log -1 --format=%cs)"
  fi
  ansible-galaxy collection build --force --output-path "$work/out" >/dev/null
)

# the site of the same text; its tools are those of the checkout
DOCS_VENV=$root/build/docs-venv "$tree/tools/docs_site.sh"
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
  --transform "s,^site,$name-docs," --directory "$tree/build" site | gzip --no-name >"$work/out/$name-docs.tar.gz"

tools/import_build.sh "$work/out/$name.tar.gz"

(
  cd "$work/out"
  cp "$tree/CHANGELOG.md" "$name-CHANGELOG.md"
  # ansible-galaxy collection verify --signature checks the signature of this file
  tar -xzOf "$name.tar.gz" MANIFEST.json >"$name-MANIFEST.json"
  sha256sum -- * >SHA256SUMS
  if [ -n "${GPG_KEY:-}" ]; then
    for file in SHA256SUMS "$name-MANIFEST.json"; do
      gpg --batch --yes --local-user "$GPG_KEY" --armor --detach-sign "$file"
    done
  else
    echo "release: not signed; GPG_KEY=ID signs it with that key of gpg" >&2
  fi
)
rm -rf "$out"
mv "$work/out" "$out"
echo "release: $version in $out; see docs/releasing.md for what is left to do"
