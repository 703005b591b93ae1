# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a run's files to the controller in one transfer, checked by checksum; can be repeated at any time."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import image_facts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.formatting import size
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import after_collection
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.units import UnitError, memory_bytes
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import (
    UNREACHABLE_S,
    RunAction,
    RunFailed,
    add_calls,
    controller_event,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import merge_events, unpack

LOG_LIMIT = "256MiB"  # of each

# A copy is taken first: files that still grow would not match their checksums. Secrets and control files stay.
# The copy is made beside them, and where there is no room for it in the login node's own temporary folder. While jobs
# write, a file may go from under cp: then it tries again.
_COLLECT = (
    image_facts.SHELL
    + r"""
cd "$1" || exit 3
most=$2
umask 077
t=$1/.collect.$$; e=$(mktemp); trap 'rm -rf "$t" "$e"' EXIT
copy() {
  set --
  for name in events clients results histograms telemetry metrics nodes plan.json spec*.json start*.sh ./*.sbatch; do
    [ ! -e "$name" ] || set -- "$@" "$name"
  done
  mkdir -p "$t" && cp -R "$@" "$t" && copy_logs
}
# Of a log of more than $most bytes the first quarter of so many and the last three: how it began and how it ended.
copy_logs() {
  [ -d logs ] && [ ! -L logs ] || return 0
  mkdir -p "$t/logs" && : >"$t/logs-cut.txt" || return
  find logs/. ! -name . -prune -type f ! -size "+${most}c" -exec sh -c 'cp "$@" "$0"' "$t/logs" {} + || return
  find logs/. ! -name . -prune -type f -size "+${most}c" | while read -r log; do
    size=$(stat -c %s "$log"); first=$((most / 4)); last=$((most - first))
    said="$((size - most)) bytes were cut here when the log was collected (benchmark_log_limit)"
    { head -c "$first" "$log"; printf '\n... %s ...\n' "$said"; tail -c "$last" "$log"; } >"$t/logs/${log##*/}" || exit
    printf '%d %s\n' "$size" "logs/${log##*/}" >>"$t/logs-cut.txt"
  done
}
copy 2>"$e" || copy 2>"$e" || { rm -rf "$t"; t=$(mktemp -d); copy 2>"$e" || copy 2>"$e"; } || { cat "$e" >&2; exit 4; }
while read -r image; do
  # a link of the run's own is gone when the run is: what it means stays
  case $image in "$1"/*) image=$(readlink -f "$image") ;; esac
  printf '%s\t' "$image"; image_facts "$image"
done <images.txt >"$t/images.tsv"
# whoever removes the directory renames it first: then this copy may be half of it
[ -e "$1/plan.json" ] || exit 3
cd "$t" || exit 4
# links and the like are no results, and the controller takes none
find . ! -type f ! -type d -exec rm -f {} +
find . -type f ! -name manifest.sha256 -exec sha256sum {} + >"$e" && cat "$e" >manifest.sha256
tar -czf - .
"""
)


class ActionModule(RunAction):
    """See the module run_collect for the options."""

    def act(self) -> dict[str, Any]:
        """Fetch, verify, merge the events; returns the number of files and bytes."""
        run = self.find(self.options["run"])
        plan = run.read_json("plan.json")
        remote = self.remote(patience_s=UNREACHABLE_S)
        answer = remote.shell(_COLLECT, plan["run_dir"], str(self._log_limit_bytes()))
        add_calls(run, remote.calls)
        if answer.rc == 3 and run.has("manifest.json"):
            self.say("collected before; its directory on the cluster is gone")
            return {"run": run.id, "files": len(run.read_json("manifest.json"))}
        if answer.rc != 0:
            gone = "it is gone: another controller collected it and tore it down, and has its results"
            why = gone if answer.rc == 3 else answer.err.strip() or f"exit status {answer.rc}"
            raise RunFailed(f"run {run.id}: its directory {plan['run_dir']} on {self.host} can't be collected: {why}")
        manifest = unpack(answer.stdout, run, _local_name)
        cut = run.read_text("logs-cut.txt", "").splitlines()
        controller_event(run, "collected", files=len(manifest), bytes=len(answer.stdout), logs_cut=cut)
        for line in cut:
            whole, _space, name = line.partition(" ")
            self.say(f"{name} of {size(float(whole))} was cut: its middle is left out (benchmark_log_limit)")
        run.write_text("events.jsonl", merge_events(run))
        run.write_json("provenance.json", after_collection(run))
        run.write_json("manifest.json", dict(sorted(manifest.items())))
        self.say(f"collected {len(manifest)} files, {size(len(answer.stdout))}, all checksums right")
        return {"changed": True, "run": run.id, "files": len(manifest), "bytes": len(answer.stdout)}

    def _log_limit_bytes(self) -> int:
        """So much of each log is collected. Raises RunFailed for what is no amount."""
        try:
            return memory_bytes(self.variable("benchmark_log_limit", LOG_LIMIT))
        except UnitError as error:
            raise RunFailed(f"benchmark_log_limit of {self.host}: {error.message}; {error.remedy}") from None


def _local_name(name: str) -> str:
    """Where a file of the cluster's run directory lies on the controller (docs/interfaces.md)."""
    folder, _slash, rest = name.partition("/")
    if folder == "results":
        return f"series/{rest}" if rest.startswith("series-") else rest
    return name
