# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between the provenance of two runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.nested import Difference, differences

# Of one run, or said by other fields: two runs always differ in them.
_OF_ONE_RUN = ("schema", "run", "rerun_of", "jobs", "clocks", "missing")


def of_provenance(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields of provenance.json in which two runs differ; parts that only one of the two has yet are left out.

    Of the nodes the kinds that there are count, not their names and numbers.
    """
    shared = [key for key in before if key in after and key not in _OF_ONE_RUN]
    return differences(*({key: _comparable(key, found[key]) for key in shared} for found in (before, after)))


def _comparable(key: str, value: Any) -> Any:
    if key == "nodes" and isinstance(value, Mapping):
        return _kinds(value.values())
    if key in ("images", "models") and isinstance(value, list):
        items = [_without_missing(item) for item in value]
        names = (
            ", ".join(map(str, item.get("parts") or [])) or item.get("service") or str(n)
            for n, item in enumerate(items)
        )
        return dict(zip(names, items, strict=True))
    return _without_missing(value)


def _kinds(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Fact → its value, or the list of its values, over all nodes that tell it."""
    found: dict[str, list[Any]] = {}
    for node in nodes:
        for name, value in node.items():
            is_list = name == "gpus" and isinstance(value, list)
            kind = [{key: gpu[key] for key in gpu if key != "uuid"} for gpu in value] if is_list else value
            if (
                kind is not None
                and name not in ("boot_id", "missing", "roles")
                and kind not in found.setdefault(name, [])
            ):
                found[name].append(kind)
    return {name: values[0] if len(values) == 1 else sorted(values, key=str) for name, values in found.items()}


def _without_missing(value: Any) -> Any:
    return {key: item for key, item in value.items() if key != "missing"} if isinstance(value, Mapping) else value
