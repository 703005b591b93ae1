# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The logs of a run that goes on, as they grow: one remote call for what is new in all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import Wanted, log_lines
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError

FIRST_BYTES = 16 << 10  # of each log, at first
MOST_BYTES = 256 << 10  # of each log in one call; of what grows faster the last ones
_CALL_BYTES = 4 << 20  # of all logs in one call
_TICK_S = 0.5
_MARK = re.compile(rb"\n@([^/\n]+) (\d+) (\d+)\n")

# Waits until one of the logs grows or the service says its last word, at most $2 ticks of 0.5 s, and prints of each log
# that has grown its name, from which byte on, how many bytes, and those. Standard input: `OFFSET NAME` of each that is
# known. $3: at most so many bytes of one that is known, $4: of one that is not, $5: of all. Then patterns of names.
# All files are looked at by one program, whatever their number.
_NEWS = r"""
cd "$1/logs" 2>/dev/null || { [ -d "$1" ] && exit 4; exit 3; }
n=$2; known_most=$3; first_most=$4; left=$5; shift 5
patterns=$*; old=$(cat); i=0
said() { grep -q "\"event\": *\"$1\"" "../events/$2.jsonl" 2>/dev/null; }
sizes() (
  set --
  for log in $patterns; do if [ -f "$log" ] && [ ! -L "$log" ]; then set -- "$@" "$log"; fi; done
  [ $# -eq 0 ] || stat -c '%s %n' -- "$@"
)
grown() {
  { printf '%s\n' "$old"; echo /; sizes; } | awk '
    $0 == "/" { now = 1; next }
    { name = substr($0, length($1) + 2) }
    !now { at[name] = $1; next }
    seen[name]++ { next }
    !(name in at) { print $1, "-", name; next }
    at[name] != $1 { print $1, at[name], name }'
}
ended=no
while :; do
  ! { said stopped service || said failed image; } || ended=yes
  news=$(grown)
  [ -z "$news" ] && [ "$ended" = no ] && [ "$i" -lt "$n" ] || break
  sleep 0.5; i=$((i + 1))
done
printf '%s\n' "$news" | while read -r size begin log; do
  [ -n "$log" ] || continue
  most=$known_most
  if [ "$begin" = - ]; then begin=0 most=$first_most; fi
  [ "$begin" -le "$size" ] || begin=0
  length=$((size - begin))
  [ "$length" -le "$most" ] || length=$most
  [ "$length" -le "$left" ] || length=$left
  left=$((left - length)); begin=$((size - length))
  printf '\n@%s %d %d\n' "$log" "$begin" "$length"
  [ "$length" -eq 0 ] || tail -c "+$((begin + 1))" "$log" | head -c "$length"
done
printf '\n@over/%s\n' "$ended"
"""


@dataclass
class _Log:
    """How far one log was read: `size` bytes, of which `half` is the beginning of a line that is not ended."""

    clock: log_lines.Clock
    size: int = 0
    number: int = 0  # of the last line that was told, from 1; not known any more where something was skipped
    half: bytes = b""


@dataclass
class Follower:
    """What of the logs was read. `begin` (epoch, s): when the run was made; `tail`: lines of each log to begin with."""

    wanted: Wanted
    begin: float
    tail: int = 10
    logs: dict[str, _Log] = field(default_factory=dict)
    over: bool = False
    entered: bool = False  # what was there before is behind it

    def poll(self, remote: Remote, run_dir: str, wait_s: float, now: float) -> list[dict[str, Any]]:
        """New lines by time, after at most `wait_s` seconds; `over` is true when nothing more is to come.

        `now` (epoch, s) is the time of lines that have none. Raises ClusterUnreachable, and RunError when the run's
        directory is no longer on the cluster.
        """
        remote.calls["polls"] += 1
        known = "".join(f"{log.size} {name}\n" for name, log in sorted(self.logs.items()))
        limits = (MOST_BYTES, FIRST_BYTES, _CALL_BYTES)
        words = [run_dir, str(int(wait_s / _TICK_S)), *map(str, limits), *self.wanted.patterns()]
        answer = remote.shell(_NEWS, *words, stdin=known.encode())
        if answer.rc == 3 and self.entered:
            self.over = True
        elif answer.rc == 3:
            raise RunError(
                f"the directory {run_dir} is not on {remote.host} any more: the run was torn down, and whoever "
                "collected it has its logs (-e follow=false shows them)"
            )
        if answer.rc in (3, 4):  # 4: there is no log yet
            return []
        return self.take(answer.stdout, now)

    def take(self, answer: bytes, now: float) -> list[dict[str, Any]]:
        """The wanted lines, by time, of what the cluster printed."""
        lines: list[dict[str, Any]] = []
        position = 0
        while found := _MARK.match(answer, position):
            name, begin, length = found[1].decode("utf-8", "replace"), int(found[2]), int(found[3])
            content = answer[found.end() : found.end() + length]
            if len(content) < length:
                raise RunError("the answer was cut short; follow the logs again")
            position = found.end() + length
            lines += self._lines(name, begin, content, now)
        self.over, self.entered = answer[position:].startswith(b"\n@over/yes"), True
        chosen = self.wanted.filter()
        kept = [line for line in lines if line.get("cut") or chosen.takes(line["text"])]
        return [log_lines.finished(line) for line in sorted(kept, key=lambda line: line["t"])]

    def _lines(self, name: str, begin: int, content: bytes, now: float) -> list[dict[str, Any]]:
        """What one log says anew: whole lines, and a line that says so where some of it was skipped."""
        log = self.logs.setdefault(name, _Log(log_lines.Clock(self.begin, now)))
        skipped = begin - log.size
        if begin < log.size:  # it was written anew
            log.half, log.number = b"", 0
        log.size = begin + len(content)
        if skipped > 0:
            rest = content.find(b"\n") + 1  # of a line
            log.half, content, skipped = b"", content[rest:], skipped + rest
        *whole, log.half = (log.half + content).split(b"\n")
        if len(log.half) > MOST_BYTES:
            whole, log.half = [*whole, log.half], b""
        lines = []
        for text in (line.decode("utf-8", "replace") for line in whole):
            log.number += 1
            lines.append({"file": f"logs/{name}", "line": log.number, "text": text, "t": log.clock.read(text) or now})
        if not self.entered:
            return lines[-self.tail :] if self.tail else []
        if skipped > 0:
            what = f"… {skipped:,} bytes of this log were skipped: it grows faster than it is read"
            at = lines[0]["t"] if lines else now
            lines.insert(0, {"file": f"logs/{name}", "line": 0, "text": what, "t": at, "cut": True})
        return lines
