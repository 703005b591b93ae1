#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that CI runs, what waits beside what works; the test runner's own summary is the last line.
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

# a session of its own, which can be ended as a whole
in_background() {
  local log=$1
  shift
  setsid "$@" >"$log" 2>&1 </dev/null &
  background+=("$!")
}

# With what others leave of the cores. The kernel may share them by session first, and only then by how nice a process is.
nicely() {
  local log=$1
  shift
  # shellcheck disable=SC2016 # for that shell
  in_background "$log" bash -c '
    [ ! -w /proc/self/autogroup ] || echo 19 >/proc/self/autogroup || :
    exec nice -n 19 "$@"' nicely "$@"
}

end_all() {
  for pid in "${background[@]}"; do
    kill -- "-$pid" 2>/dev/null || :
  done
  stop_cluster
}

background=()
trap end_all EXIT
mkdir -p build
step "packages"
tools/test_packages.sh
# these wait most of the time
# shellcheck disable=SC2016 # for that shell
in_background build/module_utils.log bash -c '
  tools/vector_databases.sh && exec "$1" -m pytest -q -n 2 tests/unit/plugins/module_utils' nodes "$python"
nodes=$!
step "lint"
tools/lint.sh
tools/import_build.sh
step "molecule"
# molecule looks for Ansible's commands in PATH
(cd extensions && PATH=${python%/*}:$PATH molecule test --all)
step "demo"
# the README's first command, as a newcomer runs it, with a benchmark_home of its own
demo=$(mktemp -d)
AIFACTORY_HOME=$demo make demo
test -s "$demo"/runs/*/report.html
rm -rf "$demo"
step "test clusters"
.venv/bin/ansible-playbook aifactory.benchmark.local_cluster -e @tests/integration/cluster.yml
failed=""
wait "$nodes" || failed=1
step "tests on both clusters"
# what takes no time itself has what the clusters leave of the cores
nicely build/sanity.log tools/sanity.sh
sanity=$!
nicely build/unit.log "$python" -m pytest -q tests/unit --ignore=tests/unit/plugins/module_utils
unit=$!
each="not extra and not alone and not more"
in_background build/local2411.log "$python" -m pytest -q --cluster local2411 -m "$each" tests/integration tests/faults
other=$!
"$python" -m pytest -q --cluster local -m "$each" tests/integration tests/faults >build/local.log 2>&1 || failed=1
wait "$other" || failed=1
step "tests that need both clusters, browser"
in_background build/e2e.log "$python" -m pytest -q tests/e2e
other=$!
"$python" -m pytest -q -m "alone and not extra" tests/integration >build/pytest.log 2>&1 || failed=1
wait "$other" || failed=1
wait "$unit" || failed=1
wait "$sanity" || failed=1
grep "^sanity: " build/sanity.log || cat build/sanity.log
step "over"
stop_cluster
trap - EXIT
cat build/e2e.log build/module_utils.log build/unit.log build/local2411.log build/local.log build/pytest.log
[ -z "$failed" ]
