# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects of AWX as they should be: found by their names, made, changed where they differ, tied to one another."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from .client import AwxError, Client

ENCRYPTED = "$encrypted$"
NEW = 0  # the id of what would be made, in check mode
LINKS = ("success_nodes", "failure_nodes", "always_nodes")
NOTIFICATIONS = tuple(f"notification_templates_{event}" for event in ("started", "success", "error"))


@dataclass(frozen=True)
class Kind:
    """Where objects of a type are, by which fields one is known, and which fields name others: field → type."""

    path: str
    key: tuple[str, ...] = ("name",)
    refs: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)


_TEMPLATE_LISTS = dict.fromkeys(NOTIFICATIONS, "notification_template")
KINDS: dict[str, Kind] = {
    "organization": Kind("organizations"),
    "credential_type": Kind("credential_types"),
    "credential": Kind(
        "credentials", ("name", "organization", "credential_type"),
        {"organization": "organization", "credential_type": "credential_type"},
    ),
    "execution_environment": Kind(
        "execution_environments", ("name",), {"organization": "organization", "credential": "credential"}
    ),
    "project": Kind(
        "projects", ("name", "organization"),
        {"organization": "organization", "credential": "credential", "default_environment": "execution_environment"},
    ),
    "inventory": Kind("inventories", ("name", "organization"), {"organization": "organization"}),
    "inventory_source": Kind(
        "inventory_sources", ("name", "inventory"), {"inventory": "inventory", "source_project": "project"}
    ),
    "notification_template": Kind(
        "notification_templates", ("name", "organization"), {"organization": "organization"}
    ),
    "job_template": Kind(
        "job_templates", ("name",),
        {"project": "project", "inventory": "inventory", "execution_environment": "execution_environment"},
        {"credentials": "credential", **_TEMPLATE_LISTS},
    ),
    "workflow_job_template": Kind(
        "workflow_job_templates", ("name", "organization"), {"organization": "organization", "inventory": "inventory"},
        _TEMPLATE_LISTS,
    ),
    "workflow_node": Kind(
        "workflow_job_template_nodes", ("identifier", "workflow_job_template"),
        {"workflow_job_template": "workflow_job_template", "unified_job_template": "job_template"},
    ),
    "schedule": Kind(
        "schedules", ("name", "unified_job_template"), {"unified_job_template": "workflow_job_template"}
    ),
}  # fmt: skip


class Objects:
    """Brings an AWX server to what is wanted. `changes` tells what was done, or would be in check mode."""

    def __init__(
        self,
        client: Client,
        *,
        check_mode: bool = False,
        update_secrets: bool = False,
        project_deadline_s: float = 300.0,
        say: Callable[[str], Any] = lambda text: None,
    ) -> None:
        self.client, self.check_mode, self.update_secrets = client, check_mode, update_secrets
        self.project_deadline_s, self.say = project_deadline_s, say
        self.changes: list[str] = []
        self.ids: dict[tuple[str, str], int] = {}
        self._playbooks: dict[int, set[str]] = {}

    def have(self, wanted: Mapping[str, Any]) -> int:
        """Have one object; returns its id (NEW where check mode would make it). Raises AwxError.

        `wanted`: `type`, the fields by AWX's names (others by their names instead of ids), and, of templates, `survey`,
        `nodes`, and lists such as `credentials`. Without any field but its key it only has to be there.
        """
        fields = dict(wanted)
        kind_name = fields.pop("type", None)
        if kind_name not in KINDS:
            raise AwxError(f"no type of objects {kind_name!r} (allowed: {', '.join(KINDS)})")
        kind = KINDS[kind_name]
        extras = {name: fields.pop(name) for name in (*kind.lists, "survey", "nodes") if name in fields}
        must_exist = fields.pop("must_exist", False)
        title = f"{kind_name} '{fields[kind.key[0]]}'"
        for name, other in kind.refs.items():
            if isinstance(fields.get(name), str):
                fields[name] = self._id(other, fields[name], title)
        if kind_name == "job_template" and fields.get("project") and fields.get("playbook"):
            self._fetch(fields["project"], str(fields["playbook"]))
        current = self._find(kind, fields)
        if current is None and must_exist:
            raise AwxError(f"AWX has no {title}: make it there first, or give another name")
        number = self._make(kind, title, fields) if current is None else self._change(kind, title, fields, current)
        self.ids[kind_name, str(fields[kind.key[0]])] = number
        for name in kind.lists:
            if name in extras:
                others = {each: self._id(kind.lists[name], each, title) for each in extras[name]}
                self._relate(f"{kind.path}/{number}/{name}/", f"{title}: {name}", number, others)
        if extras.get("survey"):
            self._survey(f"{kind.path}/{number}/survey_spec/", title, number, extras["survey"])
        if "nodes" in extras:
            self._nodes(str(fields["name"]), title, number, extras["nodes"])
        return number

    def _id(self, kind_name: str, name: str, of: str) -> int:
        """The id of another object: one of those that were wanted before, else one that is in AWX."""
        if (kind_name, name) not in self.ids:
            found = list(self.client.all(f"{KINDS[kind_name].path}/", **{KINDS[kind_name].key[0]: name}))
            if len(found) != 1:
                raise AwxError(f"{of}: AWX has {len(found) or 'no'} {kind_name} '{name}'")
            self.ids[kind_name, name] = found[0]["id"]
        return self.ids[kind_name, name]

    def _find(self, kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        query = {name: fields[name] for name in kind.key if fields.get(name) is not None}
        if NEW in query.values():
            return None
        found = list(self.client.all(f"{kind.path}/", **query))
        if len(found) > 1:
            raise AwxError(f"AWX has {len(found)} objects in {kind.path} with {query}: rename or remove all but one")
        return found[0] if found else None

    def _make(self, kind: Kind, title: str, fields: Mapping[str, Any]) -> int:
        self.changes.append(f"{title} made")
        if self.check_mode:
            return NEW
        return self.client.post(f"{kind.path}/", fields)["id"]

    def _change(self, kind: Kind, title: str, fields: Mapping[str, Any], current: Mapping[str, Any]) -> int:
        wanted = {name: value for name, value in fields.items() if not self._same(value, current.get(name))}
        if wanted:
            self.changes.append(f"{title} changed: {', '.join(sorted(wanted))}")
            if not self.check_mode:
                self.client.patch(f"{kind.path}/{current['id']}/", wanted)
        return current["id"]

    def _same(self, wanted: Any, found: Any) -> bool:
        """Whether a field needs no change. A secret is never told: it counts as the same, but for update_secrets."""
        if found == ENCRYPTED:
            return not self.update_secrets
        if isinstance(wanted, dict) and isinstance(found, dict):
            return all(self._same(value, found.get(name)) for name, value in wanted.items())
        if isinstance(wanted, str) and isinstance(found, str) and wanted != found:
            variables = _variables(wanted)
            return variables is not None and variables == _variables(found)
        return wanted == found

    def _relate(self, path: str, title: str, number: int, wanted: Mapping[str, int]) -> None:
        """Have exactly these others in a list: what is too much goes first, since AWX takes one of each kind."""
        current = self._current(path, number)
        self._take_out(path, title, current, wanted)
        self._put_in(path, title, current, wanted)

    def _current(self, path: str, number: int) -> dict[int, dict[str, Any]]:
        return {} if number == NEW else {each["id"]: each for each in self.client.all(path)}

    def _take_out(
        self, path: str, title: str, current: Mapping[int, dict[str, Any]], wanted: Mapping[str, int]
    ) -> None:
        for each, known in current.items():
            if each not in wanted.values():
                self.changes.append(f"{title}: without {known.get('name') or known.get('identifier') or each}")
                self._post(path, {"id": each, "disassociate": True})

    def _put_in(self, path: str, title: str, current: Mapping[int, Any], wanted: Mapping[str, int]) -> None:
        for name, each in wanted.items():
            if each == NEW or each not in current:
                self.changes.append(f"{title}: with {name}")
                self._post(path, {"id": each})

    def _survey(self, path: str, title: str, number: int, survey: Mapping[str, Any]) -> None:
        if number != NEW and self.client.get(path) == survey:
            return
        self.changes.append(f"{title}: survey")
        self._post(path, survey)

    def _nodes(self, workflow: str, title: str, number: int, nodes: list[dict[str, Any]]) -> None:
        """Have exactly these nodes, then their edges: AWX takes no second edge between two nodes, and no circle."""
        ids = {}
        for node in nodes:
            fields = {name: value for name, value in node.items() if name not in LINKS}
            ids[node["identifier"]] = self.have({"type": "workflow_node", "workflow_job_template": workflow, **fields})
        if number != NEW:
            self._remove_nodes(title, number, set(ids.values()))
        edges = []
        for node in nodes:
            here = ids[node["identifier"]]
            for link in LINKS:
                path = f"workflow_job_template_nodes/{here}/{link}/"
                wanted = {name: ids[name] for name in node.get(link, [])}
                edge = (path, f"{title}, node {node['identifier']}: {link}", self._current(path, here), wanted)
                self._take_out(*edge)
                edges.append(edge)
        for edge in edges:
            self._put_in(*edge)

    def _remove_nodes(self, title: str, number: int, wanted: set[int]) -> None:
        # the whole list before anything of it is removed: it comes page by page
        for other in list(self.client.all("workflow_job_template_nodes/", workflow_job_template=number)):
            if other["id"] not in wanted:
                self.changes.append(f"{title}, node {other['identifier']}: removed")
                if not self.check_mode:
                    self.client.delete(f"workflow_job_template_nodes/{other['id']}/")

    def _fetch(self, project: int, playbook: str) -> None:
        if project != NEW and not self.check_mode and playbook not in self._playbooks.get(project, ()):
            self._playbooks[project] = self.client.playbooks_of(project, playbook, self.project_deadline_s, self.say)

    def _post(self, path: str, data: Mapping[str, Any]) -> None:
        if not self.check_mode:
            self.client.post(path, data)


def _variables(text: str) -> Any:
    """Variables that AWX keeps as a text, JSON or YAML; None where it is something else."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return json.loads(json.dumps(data, default=str)) if isinstance(data, dict) else None
