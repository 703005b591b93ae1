#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that CI runs, one after another, the quick ones first; the test runner's own summary is the last line.
# The clusters that the tests need are started before and removed after, unless KEEP_CLUSTER is set.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$PWD/.venv/bin/python

stop_cluster() {
  [ -n "${KEEP_CLUSTER:-}" ] ||
    .venv/bin/ansible-playbook aifactory.benchmark.local_cluster -e @tests/integration/cluster.yml \
      -e local_cluster_state=stopped >build/cluster-stop.log 2>&1 || cat build/cluster-stop.log
}

step() {
  printf '%s min: %s\n' "$((SECONDS / 60))" "$1"
}

mkdir -p build
step "packages"
tools/test_packages.sh
# on the second core
tools/sanity.sh >build/sanity.log 2>&1 &
sanity=$!
trap 'kill "$sanity" 2>/dev/null || :' EXIT
step "lint, sanity"
tools/lint.sh
tools/import_build.sh
step "molecule"
# molecule looks for Ansible's commands in PATH
(cd extensions && PATH=${python%/*}:$PATH molecule test --all)
wait "$sanity" || { cat build/sanity.log; exit 1; }
tail -n 1 build/sanity.log
trap stop_cluster EXIT
# making the clusters leaves most of the cores free, and these tests wait most of the time
"$python" -m pytest -q -n 2 tests/unit/plugins/module_utils >build/module_utils.log 2>&1 &
nodes=$!
trap 'kill "$nodes" 2>/dev/null || :; stop_cluster' EXIT
step "demo; tests of what runs on nodes"
# the README's first command, as a newcomer runs it, with a benchmark_home of its own
demo=$(mktemp -d)
AIFACTORY_HOME=$demo make demo
test -s "$demo"/runs/*/report.html
rm -rf "$demo"
step "test clusters"
.venv/bin/ansible-playbook aifactory.benchmark.local_cluster -e @tests/integration/cluster.yml
failed=""
wait "$nodes" || failed=1
step "tests on both clusters; unit tests"
# what takes no time itself has what the clusters leave of the cores
nice -n 19 "$python" -m pytest -q tests/unit --ignore=tests/unit/plugins/module_utils >build/unit.log 2>&1 &
unit=$!
# both clusters at the same time
"$python" -m pytest -q --cluster local2411 -m "not extra and not alone" tests/integration tests/faults >build/local2411.log 2>&1 &
other=$!
trap 'kill "$unit" "$other" 2>/dev/null || :; stop_cluster' EXIT
"$python" -m pytest -q --cluster local -m "not extra and not alone" tests/integration tests/faults >build/local.log 2>&1 || failed=1
wait "$other" || failed=1
step "tests that need both clusters; browser"
"$python" -m pytest -q tests/e2e >build/e2e.log 2>&1 &
other=$!
"$python" -m pytest -q -m "alone and not extra" tests/integration >build/pytest.log 2>&1 || failed=1
wait "$other" || failed=1
wait "$unit" || failed=1
step "over"
stop_cluster
trap - EXIT
cat build/e2e.log build/module_utils.log build/unit.log build/local2411.log build/local.log build/pytest.log
[ -z "$failed" ]
