# SPDX-License-Identifier: MIT
"""What AWX refuses, for the fake: written from the serializers, fields and views of AWX's public source (24.6).

Each function raises Refused with the status and the body that AWX answers with, or nearly so.
"""

from __future__ import annotations

import functools
import json
import os
import re
from pathlib import Path
from typing import Any

import dateutil.rrule
import jinja2
import jsonschema
from jinja2.sandbox import ImmutableSandboxedEnvironment

SURVEY_TYPES = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str,
                "integer": int, "float": (float, int)}  # fmt: skip
PLAYBOOK_LINE = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):")
NOTIFICATION_FIELDS = {
    "webhook": {"url": str, "http_method": (str, "POST"), "disable_ssl_verification": (bool, False),
                "username": (str, ""), "password": (str, ""), "headers": dict},
    "slack": {"token": str, "channels": list},
    "email": {"host": str, "port": int, "username": str, "password": str, "use_tls": bool, "use_ssl": bool,
              "sender": str, "recipients": list, "timeout": (int, 30)},
}  # fmt: skip
ENV_BLOCKED = {"PATH", "PYTHONPATH", "VIRTUAL_ENV", "JOB_ID", "INVENTORY_ID", "CACHE", "AWX_HOST", "MAX_EVENT_RES"}
FIELD = {
    "type": "object", "required": ["id", "label"], "additionalProperties": False,
    "properties": {
        "type": {"enum": ["string", "boolean"]}, "format": {"enum": ["ssh_private_key", "url"]},
        "choices": {"type": "array", "minItems": 1}, "id": {"type": "string", "pattern": "^[a-zA-Z_]+[a-zA-Z0-9_]*$"},
        "label": {"type": "string"}, "help_text": {"type": "string"}, "multiline": {"type": "boolean"},
        "secret": {"type": "boolean"}, "ask_at_runtime": {"type": "boolean"}, "default": {},
    },
}  # fmt: skip
INPUTS = {
    "type": "object", "additionalProperties": False,
    "properties": {"required": {"type": "array"}, "fields": {"type": "array", "items": FIELD}},
}  # fmt: skip
NAMES = {"type": "object", "additionalProperties": False}
INJECTORS = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "file": {**NAMES, "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": {"type": "string"}}},
        "env": {**NAMES, "patternProperties": {"^[a-zA-Z_]+[a-zA-Z0-9_]*$": {"type": "string"}}},
        "extra_vars": {"type": "object"},
    },
}  # fmt: skip


class Refused(Exception):
    """AWX's answer to what it does not take."""

    def __init__(self, body: dict[str, Any], status: int = 400) -> None:
        super().__init__(str(body))
        self.body, self.status = body, status


def survey(spec: Any) -> None:
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if field not in spec or not isinstance(spec[field], kind):
            raise Refused({"error": f"Field '{field}' is missing from survey spec."})
    if not spec["spec"]:
        raise Refused({"error": "'spec' doesn't contain any items."})
    seen = set()
    for number, item in enumerate(spec["spec"]):
        for field in ("type", "question_name", "variable", "required"):
            if not isinstance(item.get(field), bool if field == "required" else str):
                raise Refused({"error": f"'{field}' missing from survey question {number}"})
        if item["variable"] in seen:
            raise Refused({"error": f"'variable' '{item['variable']}' duplicated in survey question {number}."})
        seen.add(item["variable"])
        _survey_item(number, item)


def _survey_item(number: int, item: dict[str, Any]) -> None:
    kind, default = item["type"], item.get("default", "")
    if kind not in SURVEY_TYPES:
        raise Refused({"error": f"'{kind}' in survey question {number} is not one of allowed question types."})
    if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
        raise Refused({"error": f"Default value {default} in survey question {number} expected to be {kind}."})
    for limit in ("min", "max"):
        if item.get(limit) is not None and not isinstance(item[limit], int):
            raise Refused({"error": f"The {limit} limit in survey question {number} expected to be integer."})
    if kind in ("multiselect", "multiplechoice"):
        if "choices" not in item:
            raise Refused({"error": f"Survey question {number} of type {kind} must specify choices."})
        defaults = default.splitlines()
        if kind == "multiplechoice" and len(defaults) > 1:
            raise Refused({"error": "Multiple Choice (Single Select) can only have one default value."})
        if any(each not in item["choices"] for each in defaults):
            raise Refused({"error": "Default choice must be answered from the choices listed."})
    if isinstance(default, str) and default.startswith("$encrypted$") and kind != "password":
        raise Refused({"error": "$encrypted$ is a reserved keyword for password question defaults"})


def launch_variables(template: dict[str, Any], given: dict[str, Any], *, required: bool = True) -> None:
    """Variables of a schedule or a node: those of the survey, by its rules, unless the template asks for any."""
    items = {item["variable"]: item for item in (template["survey_spec"] or {}).get("spec", [])}
    if not template["survey_enabled"]:
        items = {}
    unknown = set(given) - set(items)
    if unknown and not template["ask_variables_on_launch"]:
        raise Refused({"extra_data": [f"Variables {', '.join(sorted(unknown))} are not allowed on launch."]})
    for name, item in items.items():
        if name not in given:
            if required and item["required"] and item.get("default", "") == "":
                raise Refused({"variables_needed_to_start": [f"'{name}' value missing"]})
        elif item["type"] == "multiplechoice" and given[name] not in item["choices"]:
            raise Refused({"variables_needed_to_start": [f"Value {given[name]} for '{name}' expected to be one of"]})


def rrule(text: str) -> None:
    errors = []
    if len(re.findall(r".*?(DTSTART(;[^:]+)?\:[0-9]+T[0-9]+Z?)", text)) != 1:
        errors.append("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.findall(r".*?(DTSTART:[0-9]+T[0-9]+) ", text):
        errors.append("DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.")
    if "rrule:" not in text.lower():
        errors.append("One or more rule required in rrule.")
    for rule in re.findall(r".*?(RULE\:[^\s]*)", text):
        if "interval" not in rule.lower():
            errors.append(f"INTERVAL required in rrule: {rule}")
        if "secondly" in rule.lower():
            errors.append(f"SECONDLY is not supported: {rule}")
        if "COUNT" in rule and "UNTIL" in rule:
            errors.append(f"RRULE may not contain both COUNT and UNTIL: {rule}")
    try:
        if not errors:
            dateutil.rrule.rrulestr(text, forceset=True)
    except ValueError as error:
        errors.append(f"rrule parsing failed validation: {error}")
    if errors:
        raise Refused({"rrule": errors})


def credential_type(data: dict[str, Any]) -> None:
    if data.get("kind") not in ("cloud", "net"):
        raise Refused({"kind": [f"Must be 'cloud' or 'net', not {data.get('kind')}"]})
    for name, schema in (("inputs", INPUTS), ("injectors", INJECTORS)):
        for error in jsonschema.Draft4Validator(schema).iter_errors(data.get(name) or {}):
            raise Refused({name: [error.message]})
    fields = [field["id"] for field in (data.get("inputs") or {}).get("fields", [])]
    if len(set(fields)) < len(fields) or "tower" in fields:
        raise Refused({"inputs": ["field IDs must be unique"]})
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for name, template in (data.get("injectors") or {}).get("env", {}).items():
        if name.startswith("ANSIBLE_") or name in ENV_BLOCKED:
            raise Refused({"injectors": [f"Environment variable {name} is not allowed to be used in credentials."]})
        try:
            environment.from_string(template).render(dict.fromkeys(fields, "EXAMPLE"))
        except jinja2.UndefinedError as error:
            raise Refused({"injectors": [f"{name} uses an undefined field ({error})"]}) from None


def credential(data: dict[str, Any], kind: dict[str, Any]) -> None:
    if not data.get("organization"):
        raise Refused({"detail": ["Missing 'user', 'team', or 'organization'."]})
    known = {field["id"]: field for field in kind["inputs"]["fields"]}
    for name, value in data.get("inputs", {}).items():
        if name not in known:
            raise Refused({"inputs": [f"Additional properties are not allowed ('{name}' was unexpected)"]})
        if known[name].get("format") == "ssh_private_key" and "PRIVATE KEY" not in value:
            raise Refused({"inputs": {name: ["Invalid certificate or key"]}})


def notification(data: dict[str, Any]) -> None:
    fields = NOTIFICATION_FIELDS.get(data.get("notification_type"))
    if fields is None:
        raise Refused({"notification_type": [f'"{data.get("notification_type")}" is not a valid choice.']})
    given = data["notification_configuration"]
    for name, kind in fields.items():
        if isinstance(kind, tuple):
            given.setdefault(name, kind[1])
        elif name not in given:
            raise Refused({"__all__": [f"Missing required fields for Notification Configuration: ['{name}']."]})
        if type(given[name]) is not (kind[0] if isinstance(kind, tuple) else kind):
            raise Refused({"__all__": [f"Configuration field '{name}' incorrect type"]})


def variables(text: Any) -> None:
    try:
        json.loads(text or "{}")
    except (TypeError, ValueError):
        raise Refused({"extra_vars": ["Cannot parse as JSON"]}) from None


@functools.cache
def playbooks(project: Path) -> list[str]:
    """The playbooks that AWX finds in a project's tree."""
    found = []
    for folder, names, files in os.walk(project):
        names[:] = [name for name in names if not name.startswith(".")]
        parts = Path(folder).relative_to(project).parts
        if {"roles", "tasks", "group_vars", "host_vars"} & set(parts):
            continue
        for name in files:
            path = Path(folder, name)
            if path.suffix in (".yml", ".yaml") and any(
                map(PLAYBOOK_LINE.match, path.read_text(errors="ignore").splitlines())
            ):
                found.append(str(path.relative_to(project)))
    return sorted(found)
