# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agents say of their nodes and of the environment in which they ran: nodes/ROLE-NODE.json, and events.

The files come from a cluster, where anybody's program may have written them: only what has the right form is taken.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import redaction
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

_TEXT, _NUMBER = (str,), (int, float)
FACTS: dict[str, tuple[type, ...]] = {
    "kernel": _TEXT, "os": _TEXT, "architecture": _TEXT, "boot_id": _TEXT, "cpu_model": _TEXT, "cpus": _NUMBER,
    "cpus_allowed": _NUMBER, "cpu_governor": _TEXT, "clocksource": _TEXT, "memory_bytes": _NUMBER, "python": _TEXT,
    "runtime": _TEXT, "gpu_driver": _TEXT, "gpus": (list,), "modules_loaded": (list,),
}  # fmt: skip
_GPU_FACTS = ("name", "uuid", "memory_bytes", "power_limit_w")
_NOT_TOLD = "the agent did not say: it ended before, or is of an earlier release"
_MOST_VARIABLES = 2000


def gather(
    run: RunDirectory, events: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, dict[str, str]], dict[str, str]]:
    """(node → its facts with `missing` and `roles`, role → environment on its first node, file → why it is left out).

    An event tells less than a file, and is there when the agent was killed at once.
    """
    told: dict[str, dict[str, Any]] = {}
    environment: dict[str, dict[str, str]] = {}
    odd: dict[str, str] = {}
    for event in events:
        if event["event"] == "node_described" and isinstance(event.get("node"), str):
            _take(told, event["node"], str(event.get("source")), event)
    for path in sorted(run.path.glob("nodes/*.json")):
        name = f"nodes/{path.name}"
        try:
            record = run.read_json(name)
        except RunError as error:
            odd[name] = str(error)
            continue
        if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("node", "role")):
            odd[name] = "it is not what an agent writes"
            continue
        _take(told, record["node"], record["role"], record)
        environment.setdefault(record["role"], _environment(record.get("environment")))
    return {node: _complete(facts) for node, facts in sorted(told.items())}, environment, odd


def _take(told: dict[str, dict[str, Any]], node: str, role: str, record: dict[str, Any]) -> None:
    """Add what a record says of its node to what is known; what is null there leaves what is known."""
    facts = told.setdefault(node, {"roles": [], "missing": {}})
    if role not in facts["roles"]:
        facts["roles"].append(role)
    for name, types in FACTS.items():
        value = record.get(name)
        if isinstance(value, types) and not isinstance(value, bool):
            facts[name] = _of_list(name, value) if isinstance(value, list) else value
    reasons = record.get("missing")
    if isinstance(reasons, dict):
        facts["missing"] |= {name: str(why) for name, why in reasons.items() if name in FACTS}


def _of_list(name: str, value: list[Any]) -> list[Any]:
    if name == "gpus":
        return [{fact: gpu.get(fact) for fact in _GPU_FACTS} for gpu in value if isinstance(gpu, dict)]
    return [str(item) for item in value]


def _complete(facts: dict[str, Any]) -> dict[str, Any]:
    missing = {name: facts["missing"].get(name, _NOT_TOLD) for name in FACTS if name not in facts}
    known = {name: facts.get(name) for name in FACTS}
    return {"roles": sorted(facts["roles"]), **known, "missing": missing}


def _environment(found: Any) -> dict[str, str]:
    """The agent took the secrets out that it knew; what looks like one is taken out once more."""
    if not isinstance(found, dict):
        return {}
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    return redaction.environment(dict(list(texts.items())[:_MOST_VARIABLES]))
