# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts of a run for its report: logs, scripts, provenance, without secrets and control codes."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

TAIL_LINES, TAIL_BYTES = 100, 16 * 1024
CLIENT_TAIL_LINES, CLIENTS_SHOWN = 15, 16

# What a log line may carry although the run keeps its own secrets in files: a URL's password, key=value.
_SECRETS = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@/]+(?=@)"), r"\1***"),
    (
        re.compile(
            r"(?i)\b((?:[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key))[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
        ),
        r"\1***",
    ),
    (re.compile(r"(?i)\b(authorization:\s*(?:bearer|basic)\s+)\S+"), r"\1***"),
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def redact(text: str) -> str:
    """A text without passwords, tokens and keys, and without terminal control codes."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """A nested record as (dotted name, text) pairs."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in flat(item, f"{prefix}.{key}" if prefix else str(key))]
    if isinstance(value, list):
        if not any(isinstance(item, (dict, list)) for item in value):
            return [(prefix, ", ".join(map(str, value)) or "none")]
        return [pair for n, item in enumerate(value) for pair in flat(item, f"{prefix}[{n}]")]
    return [(prefix, "" if value is None else redact(str(value)))]


def last_words(record: dict[str, Any], events: list[dict[str, Any]]) -> list[str]:
    """The ends of the logs that came with a failure, for a run that failed."""
    if record.get("verdict") != "INVALID":
        return []
    tails = [event.get("log_tail") or [] for event in events if event["event"] in ("service_failed", "failed")]
    lines = [tail.splitlines() if isinstance(tail, str) else [str(line).rstrip() for line in tail] for tail in tails]
    texts = dict.fromkeys(redact("\n".join(each[-20:])) for each in lines)
    return [text for text in texts if text.strip()]


def scripts(run: RunDirectory) -> list[tuple[str, str]]:
    """The recipe and every script, whole."""
    found = [path.name for pattern in ("*.sbatch", "start*.sh") for path in sorted(run.path.glob(pattern))]
    names = ["recipe.yml", *found]
    return [(name, redact(run.read_text(name))) for name in names if run.has(name)]


def logs(run: RunDirectory) -> list[dict[str, Any]]:
    """The last lines of every log; of many clients' logs, the first ones."""
    found = []
    paths = sorted(run.path.glob("logs/*"), key=lambda path: (path.name.startswith("client-"), path.name))
    clients = 0
    for path in paths:
        is_client = path.name.startswith("client-")
        clients += is_client
        if not path.is_file() or (is_client and clients > CLIENTS_SHOWN):
            continue
        lines = CLIENT_TAIL_LINES if is_client else TAIL_LINES
        text, whole = tail(path, lines)
        found.append({"name": f"logs/{path.name}", "bytes": path.stat().st_size, "text": redact(text), "whole": whole})
    if clients > CLIENTS_SHOWN:
        found.append(
            {"name": f"logs of {clients - CLIENTS_SHOWN} more clients", "bytes": None, "text": "", "whole": False}
        )
    return found


def tail(path: os.PathLike[str], lines: int, limit_bytes: int = TAIL_BYTES) -> tuple[str, bool]:
    """(the last lines of a file, whether that is all of it); reads no more than `limit_bytes` of it."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - limit_bytes))
        text = stream.read().decode("utf-8", "replace")
    found = text.splitlines()
    whole = size <= limit_bytes and len(found) <= lines
    if size > limit_bytes:
        found = found[1:]
    return "\n".join(found[-lines:]), whole
