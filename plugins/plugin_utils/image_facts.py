# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster tells of an image file at no cost: nothing of it is read but its head.

Source of the SIF id: the global header of a SIF file (sylabs/sif, pkg/sif/header.go): after a launch script of 32
bytes, magic (10), version (3) and architecture (3) come UUID (16), and when it was made and last changed (8 each).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import read_json

# A function of POSIX shells; prints size, SHA-256, what lies beside the image of where it came from, and the SIF id.
SHELL = r"""
image_facts() {
  sum=
  [ "$1" -nt "$1.sha256" ] || sum=$(cut -d' ' -f1 "$1.sha256" 2>/dev/null)
  printf '%s\t%s\t' "$(stat -L -c '%s' "$1" 2>/dev/null)" "$sum"
  head -c 65536 "$1.json" 2>/dev/null | tr -d '\n\t'
  printf '\t'
  [ "$(head -c 41 "$1" 2>/dev/null | tail -c 9 | tr -d '\0')" != SIF_MAGIC ] ||
    head -c 80 "$1" | tail -c 32 | od -An -tx1 | tr -d ' \n'
  echo
}
"""
NAMES = ("bytes", "sha256", "digest", "reference", "sif_id")


def parse(fields: list[str]) -> dict[str, Any]:
    """NAMES → value of what the shell's function printed, split at its tabs; None for what is not known.

    `digest` and `reference` are what the image was made from.
    """
    size, sha256, beside, head = [*fields, "", "", "", ""][:4]
    origin = _origin(beside)
    return {
        "bytes": int(size) if size.isdecimal() else None,
        "sha256": sha256.lower() if re.fullmatch(r"[0-9a-fA-F]{64}", sha256) else None,
        "digest": origin.get("digest") or origin.get("source"),
        "reference": origin.get("reference"),
        "sif_id": _sif_id(head),
    }


def same_file(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How it is known that two facts are of one file: by `sha256` or by `sif_id`; empty where it isn't known."""
    if then.get("sha256") and now.get("sha256"):
        return "sha256" if then["sha256"] == now["sha256"] else ""
    known = then.get("sif_id") and then.get("bytes")
    return "sif_id" if known and all(then[name] == now.get(name) for name in ("sif_id", "bytes")) else ""


def _origin(text: str) -> dict[str, str]:
    """What is written beside an image of where it came from (PATH.json)."""
    try:
        origin = read_json(text)
    except (ValueError, RecursionError):
        return {}
    return {key: str(value) for key, value in origin.items() if value} if isinstance(origin, dict) else {}


def _sif_id(head: str) -> str | None:
    """UUID and time of the last change (epoch, s) of a SIF file; None of one that was made without a UUID."""
    if not re.fullmatch(r"[0-9a-f]{64}", head) or not int(head[:32], 16):
        return None
    return f"{uuid.UUID(head[:32])} {int.from_bytes(bytes.fromhex(head[48:]), 'little', signed=True)}"
