# SPDX-License-Identifier: MIT
"""A fake AWX server: no AWX can be had where the tests run.

It keeps objects in memory, records every call, and refuses what AWX refuses (fake_awx_rules). As AWX does, it leaves
out fields that it does not know without a word, hides secrets, and takes a job template only when its playbook is in
the project.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import fake_awx_rules as rules
from .fake_awx_rules import Refused

TOKEN = "a-token"
ENCRYPTED = "$encrypted$"
_TEMPLATE = {"description": "", "survey_enabled": False, "ask_variables_on_launch": False, "ask_limit_on_launch": False,
             "allow_simultaneous": False, "extra_vars": "", "limit": None}  # fmt: skip
# What each type of objects has, and what AWX fills in.
DEFAULTS: dict[str, dict[str, Any]] = {
    "organizations": {"name": None, "description": ""},
    "credential_types": {"name": None, "kind": None, "description": "", "inputs": {}, "injectors": {},
                         "managed": False},
    "credentials": {"name": None, "description": "", "organization": None, "credential_type": None, "inputs": {}},
    "execution_environments": {"name": None, "organization": None, "image": None, "credential": None, "pull": ""},
    "projects": {"name": None, "organization": None, "scm_type": "", "scm_url": "", "scm_branch": "",
                 "credential": None, "default_environment": None, "status": "never updated"},
    "inventories": {"name": None, "organization": None, "kind": "", "variables": ""},
    "inventory_sources": {"name": None, "inventory": None, "source": "", "source_path": "", "source_project": None,
                          "overwrite": False, "overwrite_vars": False, "update_on_launch": False},
    "notification_templates": {"name": None, "organization": None, "notification_type": None,
                               "notification_configuration": {}, "messages": None},
    "job_templates": {**_TEMPLATE, "name": None, "job_type": "run", "project": None, "inventory": None, "playbook": "",
                      "execution_environment": None, "timeout": 0, "ask_job_type_on_launch": False, "forks": 0},
    "workflow_job_templates": {**_TEMPLATE, "name": None, "organization": None, "inventory": None},
    "workflow_job_template_nodes": {"identifier": None, "workflow_job_template": None, "unified_job_template": None,
                                    "extra_data": {}, "limit": None, "all_parents_must_converge": False},
    "schedules": {"name": None, "unified_job_template": None, "rrule": None, "extra_data": {}, "limit": None,
                  "enabled": True},
}  # fmt: skip
UNIQUE = {
    "organizations": ("name",), "credential_types": ("name", "kind"), "execution_environments": ("name",),
    "credentials": ("name", "organization", "credential_type"), "projects": ("name", "organization"),
    "inventories": ("name", "organization"), "inventory_sources": ("name", "inventory"),
    "notification_templates": ("name", "organization"), "job_templates": ("name",),
    "workflow_job_templates": ("name", "organization"), "schedules": ("name", "unified_job_template"),
    "workflow_job_template_nodes": ("identifier", "workflow_job_template"),
}  # fmt: skip
MACHINE = {"fields": [{"id": "username"}, {"id": "ssh_key_data", "secret": True, "format": "ssh_private_key"},
                      {"id": "ssh_key_unlock", "secret": True}, {"id": "password", "secret": True}]}  # fmt: skip


class FakeAwx:
    """`repositories`: what git would bring, by scm_url. `calls`: method and path of everything that was asked."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.calls: list[tuple[str, str]] = []
        self.objects: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in DEFAULTS}
        self.lists: dict[tuple[str, int, str], list[int]] = {}
        self.last = 0
        self.add("credential_types", {"name": "Machine", "kind": "ssh", "inputs": MACHINE, "managed": True})

    @property
    def written(self) -> list[tuple[str, str]]:
        """The calls that change something."""
        return [call for call in self.calls if call[0] != "GET"]

    def named(self, kind: str, name: str) -> dict[str, Any]:
        [found] = [each for each in self.objects[kind].values() if each.get("name", each.get("identifier")) == name]
        return found

    def add(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        self.last += 1
        known = {name: value for name, value in data.items() if name in DEFAULTS[kind]}
        made = {"id": self.last, "survey_spec": {}, **json.loads(json.dumps(DEFAULTS[kind])), **known}
        self.objects[kind][self.last] = made
        return made

    # -- what is asked -----------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], data: dict[str, Any]) -> tuple[int, Any]:
        kind, *rest = path.strip("/").split("/")
        if kind not in self.objects:
            raise Refused({"detail": "Not found."}, 404)
        if not rest:
            return self._list(kind, query) if method == "GET" else (201, self._shown(kind, self._made(kind, data)))
        number = int(rest[0])
        if number not in self.objects[kind]:
            raise Refused({"detail": "Not found."}, 404)
        thing = self.objects[kind][number]
        if len(rest) > 1:
            return self._below(method, kind, thing, rest[1], data)
        if method == "DELETE":
            del self.objects[kind][number]
            for related in self.lists.values():
                while number in related:
                    related.remove(number)
            return 204, None
        if method == "PATCH":
            if kind == "credential_types" and "inputs" in data and self._users(number):
                raise Refused({"detail": "Modifications to inputs are not allowed for credential types in use"}, 403)
            changed = {**thing, **{name: value for name, value in data.items() if name in DEFAULTS[kind]}}
            self._check(kind, changed)
            thing.update(changed)
        if kind == "projects" and thing["status"] == "pending":
            thing["status"] = "running"
        elif kind == "projects" and thing["status"] == "running":
            thing["status"] = "successful" if thing["scm_url"] in self.repositories else "failed"
        return 200, self._shown(kind, thing)

    def _users(self, credential_type: int) -> list[dict[str, Any]]:
        return [each for each in self.objects["credentials"].values() if each["credential_type"] == credential_type]

    def _list(self, kind: str, query: dict[str, str]) -> tuple[int, Any]:
        filters = {name: value for name, value in query.items() if name not in ("page_size", "page")}
        unknown = set(filters) - set(DEFAULTS[kind])
        if unknown:
            raise Refused({"detail": f"{kind} has no field named '{unknown.pop()}'"})
        found = [each for each in self.objects[kind].values() if all(str(each[n]) == v for n, v in filters.items())]
        page, size = int(query.get("page", 1)), min(int(query.get("page_size", 25)), 3)  # so that there are pages
        more = "&".join([*(f"{name}={value}" for name, value in filters.items()), f"page_size={size}&page={page + 1}"])
        following = f"/api/v2/{kind}/?{more}" if len(found) > page * size else None
        shown = [self._shown(kind, each) for each in found[(page - 1) * size : page * size]]
        return 200, {"count": len(found), "next": following, "results": shown}

    def _made(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        complete = {**json.loads(json.dumps(DEFAULTS[kind])), **data}
        for name, value in DEFAULTS[kind].items():
            if value is None and name in UNIQUE[kind] and complete.get(name) in (None, ""):
                raise Refused({name: ["This field is required."]})
        key = {name: complete[name] for name in UNIQUE[kind]}
        if any(all(each[n] == v for n, v in key.items()) for each in self.objects[kind].values()):
            raise Refused({"__all__": [f"{kind} with this {' and '.join(key)} already exists."]})
        self._check(kind, complete)
        made = self.add(kind, complete)
        if kind == "projects" and made["scm_type"]:
            made["status"] = "pending"
        return made

    def _check(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "credential_types":
            rules.credential_type(data)
        elif kind == "credentials":
            rules.credential(data, self.objects["credential_types"][data["credential_type"]])
        elif kind == "notification_templates":
            rules.notification(data)
        elif kind == "job_templates":
            rules.variables(data["extra_vars"])
            if not data["inventory"]:
                raise Refused({"inventory": ["You must either set a default value or ask to prompt on launch."]})
            project = self.objects["projects"][data["project"]]
            if data["playbook"] not in self._playbooks(project):
                raise Refused({"playbook": ["Playbook not found for project."]})
        elif kind in ("schedules", "workflow_job_template_nodes"):
            templates = {**self.objects["job_templates"], **self.objects["workflow_job_templates"]}
            template = templates[data["unified_job_template"]]
            if kind == "schedules":
                rules.rrule(data["rrule"])
            rules.launch_variables(template, data["extra_data"], required=kind == "schedules")
            if data["limit"] and not template["ask_limit_on_launch"]:
                raise Refused({"limit": ["Field is not configured to prompt on launch."]})

    def _playbooks(self, project: dict[str, Any]) -> list[str]:
        return rules.playbooks(self.repositories[project["scm_url"]]) if project["status"] == "successful" else []

    def _below(self, method: str, kind: str, thing: dict[str, Any], name: str, data: dict[str, Any]) -> tuple[int, Any]:
        if (kind, name) == ("projects", "update"):
            thing["status"] = "pending"
            return 202, {"id": 1}
        if (kind, name) == ("projects", "playbooks"):
            return 200, self._playbooks(thing)
        if name == "survey_spec":
            if method == "POST":
                rules.survey(data)
                thing["survey_spec"] = data
            return 200, thing["survey_spec"]
        others = {"credentials": "credentials"}.get(name)
        others = others or ("notification_templates" if name.startswith("notification_templates_") else kind)
        related = self.lists.setdefault((kind, thing["id"], name), [])
        if method == "GET":
            return 200, {"next": None, "results": [self.objects[others][each] for each in related]}
        if data["id"] not in self.objects[others]:
            raise Refused({"id": ["Invalid pk - object does not exist."]})
        if data.get("disassociate"):
            related.remove(data["id"])
        elif data["id"] not in related:
            self._check_relation(kind, thing, name, data["id"], related)
            related.append(data["id"])
        return 204, None

    def _check_relation(self, kind: str, thing: dict[str, Any], name: str, other: int, related: list[int]) -> None:
        if name == "credentials":
            types = [self.objects["credentials"][each]["credential_type"] for each in related]
            if self.objects["credentials"][other]["credential_type"] in types:
                raise Refused({"error": "Cannot assign multiple credentials of the same type."})
        if name.endswith("_nodes"):
            if other == thing["id"] or thing["id"] in self._after(other):
                raise Refused({"Error": "Cycle detected."})
            links = [
                self.lists.get((kind, thing["id"], link), [])
                for link in ("success_nodes", "failure_nodes", "always_nodes")
            ]
            if any(other in link for link in links):
                raise Refused({"Error": "Relationship not allowed."})

    def _after(self, node: int) -> set[int]:
        """All nodes that come after one."""
        found: set[int] = set()
        waiting = [node]
        while waiting:
            here = waiting.pop()
            for (kind, number, _name), others in self.lists.items():
                if kind == "workflow_job_template_nodes" and number == here:
                    waiting += [each for each in others if each not in found]
                    found.update(others)
        return found

    def _shown(self, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        """Without secrets."""
        shown = json.loads(json.dumps(thing))
        if kind == "credentials":
            fields = self.objects["credential_types"][thing["credential_type"]]["inputs"]["fields"]
            secret = {field["id"] for field in fields if field.get("secret")}
            shown["inputs"] = {n: ENCRYPTED if n in secret and v else v for n, v in shown["inputs"].items()}
        if kind == "notification_templates":
            for name in {"password", "token"} & set(shown["notification_configuration"]):
                if shown["notification_configuration"][name]:
                    shown["notification_configuration"][name] = ENCRYPTED
        return shown


@contextlib.contextmanager
def serving(fake: FakeAwx) -> Iterator[str]:
    """The address of a server on loopback, while the block lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            data = json.loads(self.rfile.read(length) or b"{}")
            fake.calls.append((self.command, parts.path))
            try:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused({"detail": "Authentication credentials were not provided."}, 401)
                path = parts.path.removeprefix("/api/v2/")
                status, body = fake.answer(self.command, path, dict(parse_qsl(parts.query)), data)
            except Refused as error:
                status, body = error.status, error.body
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = do

        def log_message(self, *_arguments: Any) -> None:
            """Nothing on the screen."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
