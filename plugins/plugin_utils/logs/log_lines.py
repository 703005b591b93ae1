# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A line of a log: when it was written, whether it tells of an error, and how it is shown. Pure.

Every program has a form of its own for times; known are those of the services and tools that a run starts.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.report.texts import redact

UTC = timezone.utc  # noqa: UP017  (the sanity tests of ansible-core 2.16 import with Python 3.10)
LONGEST_LINE = 2000  # characters; a progress bar that was logged is one line of megabytes
_LOOKED_AT = 160  # characters of a line in which its time is looked for
_QUARTER_S = 900  # zones differ by quarters of an hour,
_FARTHEST_S = 14 * 3600  # and by so much from UTC
_DAY_S = 86400
_MONTHS = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
    "Dec": 12,
}  # fmt: skip
_CLOCK = r"(?P<H>\d{2}):(?P<M>\d{2}):(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?"
_ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})(?![\w:]))?"
_FORMS = tuple(
    re.compile(form.replace("CLOCK", _CLOCK).replace("ZONE", _ZONE))
    for form in (
        # 2026-09-21T14:13:25.003Z, 2026-09-21 14:13:25,003 UTC, 2026/09/21 - 14:13:25, [2026/09/21 14:13:25.003 +00:00]
        r"(?<!\d)(?P<y>\d{4})[-/](?P<m>\d{2})[-/](?P<d>\d{2})(?:[T ]|\s-\s)CLOCKZONE",
        # 21/Sep/2026:14:13:25 +0000 (nginx' requests), 21 Sep 2026 14:13:25.003 (redis)
        r"(?<!\d)(?P<d>\d{1,2})[ /](?P<b>[A-Z][a-z]{2})[ /](?P<y>\d{4})[: ]CLOCKZONE",
        # I0921 14:13:25.003 (glog: Triton)
        r"^[IWEF](?P<m>\d{2})(?P<d>\d{2}) CLOCK",
        # INFO 09-21 14:13:25 (vLLM)
        r"(?<![\d-])(?P<m>\d{2})-(?P<d>\d{2}) CLOCK",
        # Sep 21 14:13:25 (syslog)
        r"(?<!\w)(?P<b>[A-Z][a-z]{2}) {1,2}(?P<d>\d{1,2}) CLOCK",
    )
)
_EVENT = re.compile(r'^\{"t": ?(?P<t>\d{9,10}(?:\.\d+)?)')  # of an agent
_EPOCH = re.compile(r"^\[?(?P<t>1\d{9}(?:\.\d{1,9})?)\b")
_NO_ERROR = re.compile(
    r"(?i)\b(?:no|0|without|zero) (?:errors?|failures?|warnings?)\b"
    r"|\b(?:errors?|failed|failures?|warnings?)(?: \w+)?[\"']?\s*[:=]\s*[\"']?"
    r"(?:0+(?:\.0+)?|none|null|false|\[\]|\{\})(?![\w.])"
)
_ERROR = re.compile(
    r"(?i)(?<![\w/-])(?:errors?|err|fatal|panic|critical|crit|emerg|exception|traceback|segfault|segmentation fault"
    r"|out of memory|oom-?kill\w*|killed|failed|failure|cannot|can't|aborted|core dumped|\w+(?:Error|Exception))"
    r"(?![\w-])|^[EF]\d{4} \d|\"event\": ?\"\w*failed\""
)
_WARNING = re.compile(r"(?i)(?<![\w/-])(?:warn|warning|deprecated|retrying|timed? ?out)(?![\w-])|^W\d{4} \d")
ERROR, WARNING = "error", "warning"
COLOURS = {ERROR: "red", WARNING: "yellow"}  # as Ansible names them


class Stamp(NamedTuple):
    """A time as a line has it: seconds since the epoch, if `zoned`; else as if it were UTC."""

    t: float
    zoned: bool


def stamp(text: str, year: int) -> Stamp | None:
    """When a line was written, by what it says; None where it does not. `year`: of forms that leave it out."""
    for form in (_EVENT, _EPOCH):
        if found := form.match(text):
            return Stamp(float(found["t"]), True)
    for form in _FORMS:
        if (found := form.search(text[:_LOOKED_AT])) and (time := _time(found.groupdict(), year)):
            return time
    return None


def _time(parts: dict[str, str | None], year: int) -> Stamp | None:
    month = parts.get("m") or _MONTHS.get(parts.get("b") or "")
    if month is None:
        return None
    zone = parts.get("zone")
    try:
        fields = (int(parts.get("y") or year), int(month), *(int(parts[name] or 0) for name in ("d", "H", "M", "S")))
        when = datetime(*fields, tzinfo=_zone(zone))
        return Stamp(when.timestamp() + float(f"0.{parts.get('f') or 0}"), zone is not None)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text.isalpha():
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


class Clock:
    """When the lines of one log were written. The run lasted from `begin` to `end` (epoch, s).

    A line without a time has that of the line before it. Times without a zone are in that zone (of a quarter of an
    hour) by which the first of them lies in the run.
    """

    def __init__(self, begin: float, end: float) -> None:
        self._begin, self._end = begin, end
        self._year = datetime.fromtimestamp(begin, UTC).year
        self._shift: float | None = None
        self._last: float | None = None

    def read(self, text: str) -> float | None:
        """The time (epoch, s) of the next line, never less than that of the one before; None before the first time."""
        found = stamp(text, self._year)
        if found is not None:
            if not found.zoned and self._shift is None:
                self._shift = _shift(found.t, self._begin, self._end)
            at = found.t if found.zoned else found.t - (self._shift or 0.0)
            if self._begin - _DAY_S <= at <= self._end + _DAY_S:  # else it is not the line's own
                self._last = at if self._last is None else max(self._last, at)
        return self._last


def _shift(t: float, begin: float, end: float) -> float:
    """How far (s) a clock is ahead of UTC that showed `t` between `begin` and `end`."""
    if begin - 60 <= t <= end + 60:
        return 0.0
    shift = round((t - begin) / _QUARTER_S) * _QUARTER_S
    return shift if abs(shift) <= _FARTHEST_S else 0.0


def level(text: str) -> str | None:
    """ERROR, WARNING or None: what a line tells of, by its words."""
    looked_at = _NO_ERROR.sub("", text[:LONGEST_LINE])
    if _ERROR.search(looked_at):
        return ERROR
    return WARNING if _WARNING.search(looked_at) else None


def shown(text: str) -> str:
    """A line as it is shown: without secrets and control codes, and bounded."""
    text = text.rstrip("\r\n")
    more = len(text) - LONGEST_LINE
    return redact(text) if more <= 0 else f"{redact(text[:LONGEST_LINE])}… ({more:,} more characters)"


def clock(t: float | None) -> str:
    """A time of day in UTC, to the millisecond: 14:13:25.003."""
    if t is None:
        return " " * 12
    return datetime.fromtimestamp(round(t, 3), UTC).strftime("%H:%M:%S.%f")[:-3]


def finished(line: dict[str, Any]) -> dict[str, Any]:
    """A line as it is returned and shown: its text cleaned, and its `level`."""
    return {**line, "text": shown(line["text"]), "level": level(line["text"])}
