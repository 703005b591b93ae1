# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The secrets that a recipe names: read on the controller, shipped as files of mode 0600, kept nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.run_dir import REGISTRIES, secret_file
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.plan_parts import parts_of
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError


def shipped(plan: Mapping[str, Any], variable: Callable[[str], Any], *, pulls: bool = False) -> dict[str, bytes]:
    """Name in the run's directory -> value. `variable` gives the value of an Ansible variable, None without one.

    pulls: whether the run gets images, so that the registries' accounts go with it.
    Raises RunError where a value is missing: every one that is, with the recipe's field and what to do.
    """
    files, problems = {}, []
    for part, section, has in parts_of(plan):
        for name, source in has.get("secrets", {}).items():
            value, problem = _value(source, variable)
            if problem:
                problems.append(f"{section}.secrets.{name}: {problem}")
            else:
                files[f"secrets/{secret_file(part, name)}"] = value.encode()
    registries, problem = _registries(variable("benchmark_registries") if pulls else None)
    if problem:
        problems.append(problem)
    if registries:
        files[f"secrets/{REGISTRIES}"] = json.dumps(registries).encode()
    if problems:
        raise RunError("; ".join(problems) + ". Nothing was submitted")
    return files


def _registries(given: Any) -> tuple[dict[str, dict[str, Any]], str]:
    """(Registry -> its `username`, `password` and `insecure`, what is wrong with them)."""
    remedy = "write NAME: {username: …, password: …}, or NAME: {insecure: true} for one without TLS"
    if given is None:
        return {}, ""
    if not isinstance(given, Mapping):
        return {}, f"benchmark_registries of the inventory is no mapping: {remedy}"
    found = {}
    for name, account in given.items():
        known = dict(account) if isinstance(account, Mapping) else {"": account}
        if set(known) - {"username", "password", "insecure"} or bool(known.get("username")) != bool(
            known.get("password")
        ):
            return {}, f"benchmark_registries.{name} of the inventory is not what it should be: {remedy}"
        found[str(name)] = {key: str(known[key]) for key in ("username", "password") if known.get(key)}
        found[str(name)]["insecure"] = bool(known.get("insecure"))
    return found, ""


def _value(source: Mapping[str, str], variable: Callable[[str], Any]) -> tuple[str, str]:
    """(the value, what is wrong with it)."""
    if "env" in source:
        value, where = os.environ.get(source["env"]), f"the environment variable {source['env']} of the controller"
    elif "file" in source:
        path = Path(source["file"]).expanduser()
        where = str(path)
        try:
            value = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            return "", f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}"
    else:
        value, where = variable(source["variable"]), f"the variable {source['variable']}"
    text = "" if value is None else str(value).rstrip("\r\n")
    if not text:
        return "", f"{where} is {'empty' if value is not None else 'not set'}"
    if "\0" in text:
        return "", f"{where} holds a NUL, which no environment variable can"
    return text, ""
